// Named listeners. A listener that throws never disturbs the connection: its error surfaces as an uncaught one.
import type { Unsubscribe } from './public.ts';

export class Listeners<Events extends object> {
  readonly #byName: ReadonlyMap<keyof Events, Set<(event: never) => void>>;

  constructor(names: readonly (keyof Events & string)[]) {
    this.#byName = new Map(names.map((name) => [name, new Set()]));
  }

  on<K extends keyof Events>(name: K, listener: (event: Events[K]) => void): Unsubscribe {
    // A wrapper of its own, so that the same function may listen twice and each stop concerns one.
    const entry = (event: Events[K]): void => listener(event);
    const entries = this.#byName.get(name);
    if (entries === undefined) {
      throw new TypeError(
        `there is no event ${String(name)}; there are ${[...this.#byName.keys()].join(', ')}`,
      );
    }
    if (typeof listener !== 'function') throw new TypeError(`on('${String(name)}') needs a function`);
    entries.add(entry);
    return () => {
      entries.delete(entry);
    };
  }

  has(name: keyof Events): boolean {
    return (this.#byName.get(name)?.size ?? 0) > 0;
  }

  emit<K extends keyof Events>(name: K, event: Events[K]): void {
    for (const listener of [...(this.#byName.get(name) ?? [])]) {
      try {
        // `on` is the only way in, and it ties the listener's type to the name.
        listener(event as never);
      } catch (error) {
        queueMicrotask(() => {
          throw error;
        });
      }
    }
  }
}

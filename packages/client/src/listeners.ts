// Named listeners. A listener that throws never disturbs the connection: its error surfaces as an uncaught one.
import type { Unsubscribe } from './public.ts';

interface Entry {
  readonly listener: (event: never) => void;
  readonly once: boolean;
}

export class Listeners<Events extends object> {
  readonly #byName: ReadonlyMap<keyof Events, Set<Entry>>;

  constructor(names: readonly (keyof Events & string)[]) {
    this.#byName = new Map(names.map((name) => [name, new Set()]));
  }

  on<K extends keyof Events>(name: K, listener: (event: Events[K]) => void, once = false): Unsubscribe {
    // An entry of its own, so that the same function may listen twice and each stop concerns one.
    const entry = { listener, once };
    const entries = this.#named(name);
    if (typeof listener !== 'function') throw new TypeError(`on('${String(name)}') needs a function`);
    entries.add(entry);
    return () => {
      entries.delete(entry);
    };
  }

  once<K extends keyof Events>(name: K, listener: (event: Events[K]) => void): Unsubscribe {
    return this.on(name, listener, true);
  }

  /** Stops every `on` and `once` of this function. */
  off<K extends keyof Events>(name: K, listener: (event: Events[K]) => void): void {
    const entries = this.#named(name);
    for (const entry of entries) if (entry.listener === listener) entries.delete(entry);
  }

  has(name: keyof Events): boolean {
    return this.#named(name).size > 0;
  }

  emit<K extends keyof Events>(name: K, event: Events[K]): void {
    const entries = this.#named(name);
    for (const entry of [...entries]) {
      if (entry.once) entries.delete(entry);
      try {
        // `on` is the only way in, and it ties the listener's type to the name.
        entry.listener(event as never);
      } catch (error) {
        queueMicrotask(() => {
          throw error;
        });
      }
    }
  }

  #named(name: keyof Events): Set<Entry> {
    const entries = this.#byName.get(name);
    if (entries === undefined) {
      throw new TypeError(
        `there is no event ${String(name)}; there are ${[...this.#byName.keys()].join(', ')}`,
      );
    }
    return entries;
  }
}

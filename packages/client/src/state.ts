// The state of one channel: frames in, a live map and the changes not yet announced out. Pure, no timers.
import type { StateMessage } from '@weir/protocol';
import type { StateEvent } from './public.ts';
import { same } from './same.ts';

/** Changes that grow until they are taken: a later one of the same key replaces the earlier. */
export class Changes {
  readonly #set = new Map<string, unknown>();
  readonly #del = new Set<string>();
  #snapshot = false;

  get empty(): boolean {
    return this.#set.size === 0 && this.#del.size === 0 && !this.#snapshot;
  }

  set(key: string, value: unknown): void {
    this.#del.delete(key);
    this.#set.set(key, value);
  }

  delete(key: string): void {
    this.#set.delete(key);
    this.#del.add(key);
  }

  markSnapshot(): void {
    this.#snapshot = true;
  }

  add(event: StateEvent): void {
    for (const [key, value] of event.set) this.set(key, value);
    for (const key of event.del) this.delete(key);
    this.#snapshot ||= event.snapshot;
  }

  /** What changed so far; begins anew. */
  take(): StateEvent {
    const event: StateEvent = {
      type: 'state',
      set: new Map(this.#set),
      del: [...this.#del],
      snapshot: this.#snapshot,
    };
    this.#set.clear();
    this.#del.clear();
    this.#snapshot = false;
    return event;
  }
}

export class ChannelState {
  readonly map: Map<string, unknown> = new Map();
  readonly changes: Changes = new Changes();
  /** A snapshot of which more frames are to come; the map keeps what it has until it is whole. */
  #arriving: Map<string, unknown> | undefined;

  #snapshot: ReadonlyMap<string, unknown> | undefined;

  /** A copy that never changes; the same one until the map does. */
  get snapshot(): ReadonlyMap<string, unknown> {
    this.#snapshot ??= new Map(this.map);
    return this.#snapshot;
  }

  /** `complete` where the frame was the last of a snapshot. */
  apply(frame: StateMessage): 'complete' | 'changed' {
    // Entries, never `for in` or lookups: the keys are the publisher's, `__proto__` among them.
    const set = Object.entries(frame.set ?? {});
    const del = frame.del ?? [];
    if (frame.snapshot === true || this.#arriving !== undefined) {
      this.#arriving ??= new Map();
      for (const [key, value] of set) this.#arriving.set(key, value);
      for (const key of del) this.#arriving.delete(key);
      if (frame.snapshot !== true || frame.more === true) return 'changed';
      this.#replace(this.#arriving);
      return 'complete';
    }
    for (const [key, value] of set) this.#put(key, value);
    for (const key of del) this.#remove(key);
    return 'changed';
  }

  /** A new stream begins: half a snapshot of the old one is worth nothing. */
  forgetHalf(): void {
    this.#arriving = undefined;
  }

  clear(): void {
    this.forgetHalf();
    if (this.map.size > 0) this.#snapshot = undefined;
    this.map.clear();
    this.changes.take();
  }

  #replace(snapshot: ReadonlyMap<string, unknown>): void {
    this.#arriving = undefined;
    for (const key of [...this.map.keys()]) if (!snapshot.has(key)) this.#remove(key);
    for (const [key, value] of snapshot) this.#put(key, value);
    this.changes.markSnapshot();
  }

  #put(key: string, value: unknown): void {
    // Equal values are not announced again, and objects that the application holds stay the same objects.
    if (this.map.has(key) && same(this.map.get(key), value)) return;
    this.#snapshot = undefined;
    this.map.set(key, value);
    this.changes.set(key, value);
  }

  #remove(key: string): void {
    if (!this.map.delete(key)) return;
    this.#snapshot = undefined;
    this.changes.delete(key);
  }
}

// What one iterator has not consumed yet. Bounded: state is conflated to the newest values, cosmetics give way,
// and where critical events had to be dropped a gap says so.
import type { ChannelEvent, CosmeticEvent, CriticalEvent, GapEvent, StateEvent } from './public.ts';
import { Changes } from './state.ts';

/** Cosmetics kept between two events; older ones are dropped first. */
export const COSMETIC_LIMIT = 256;

/** The newest cosmetics, and how many had to go. */
export class Cosmetics {
  #data: unknown[] = [];
  #dropped = 0;

  get empty(): boolean {
    return this.#data.length === 0 && this.#dropped === 0;
  }

  add(data: readonly unknown[], dropped = 0): void {
    const all = [...this.#data, ...data];
    this.#data = all.slice(-COSMETIC_LIMIT);
    this.#dropped += dropped + all.length - this.#data.length;
  }

  take(): CosmeticEvent {
    const event: CosmeticEvent = { type: 'cosmetic', data: this.#data, dropped: this.#dropped };
    this.#data = [];
    this.#dropped = 0;
    return event;
  }
}

type Waiter = {
  readonly resolve: (result: IteratorResult<ChannelEvent>) => void;
  readonly reject: (error: unknown) => void;
};
type End = { readonly error?: unknown };

export class EventQueue implements AsyncIterator<ChannelEvent> {
  readonly #limit: number;
  readonly #onReturn: (queue: EventQueue) => void;
  readonly #state = new Changes();
  readonly #cosmetics = new Cosmetics();
  #ordered: (CriticalEvent | GapEvent)[] = [];
  #overflow: GapEvent | undefined;
  #lastCriticalId = 0;
  #waiters: Waiter[] = [];
  #end: End | undefined;
  #stateWasLast = false;

  constructor(limit: number, onReturn: (queue: EventQueue) => void) {
    this.#limit = limit;
    this.#onReturn = onReturn;
  }

  push(event: ChannelEvent): void {
    if (event.type === 'state') this.#state.add(event);
    else if (event.type === 'cosmetic') this.#cosmetics.add(event.data, event.dropped);
    else this.#pushOrdered(event);
    this.#serve();
  }

  /** No more events; those that are queued are still handed out, then comes the end or the error. */
  end(error?: unknown): void {
    this.#end ??= { error };
    this.#serve();
  }

  next(): Promise<IteratorResult<ChannelEvent>> {
    return new Promise((resolve, reject) => {
      this.#waiters.push({ resolve, reject });
      this.#serve();
    });
  }

  return(): Promise<IteratorResult<ChannelEvent>> {
    this.#onReturn(this);
    this.#ordered = [];
    this.#overflow = undefined;
    this.#state.take();
    this.#cosmetics.take();
    this.#end = {};
    this.#serve();
    return Promise.resolve({ done: true, value: undefined });
  }

  #pushOrdered(event: CriticalEvent | GapEvent): void {
    this.#ordered.push(event);
    if (this.#ordered.length <= this.#limit) return;
    const dropped = this.#ordered.shift();
    if (dropped === undefined) return;
    const known = this.#overflow ?? {
      type: 'gap',
      after: this.#lastCriticalId,
      reset: false,
      cause: 'overflow',
    };
    const reset = known.reset || (dropped.type === 'gap' && dropped.reset);
    this.#overflow = { ...known, reset };
  }

  #serve(): void {
    while (this.#waiters.length > 0) {
      const value = this.#take();
      if (value === undefined && this.#end === undefined) return;
      const waiter = this.#waiters.shift();
      if (value !== undefined) waiter?.resolve({ done: false, value });
      else if (this.#end?.error === undefined) waiter?.resolve({ done: true, value: undefined });
      else {
        waiter?.reject(this.#end.error);
        this.#end = {};
      }
    }
  }

  /** State and the ordered events take turns, so that neither starves the other. */
  #take(): ChannelEvent | undefined {
    const ordered = this.#overflow ?? this.#ordered[0];
    if (!this.#state.empty && (ordered === undefined || !this.#stateWasLast)) return this.#takeState();
    this.#stateWasLast = false;
    if (ordered === undefined) return this.#cosmetics.empty ? undefined : this.#cosmetics.take();
    if (this.#overflow !== undefined) this.#overflow = undefined;
    else this.#ordered.shift();
    if (ordered.type === 'critical') this.#lastCriticalId = ordered.id;
    return ordered;
  }

  #takeState(): StateEvent {
    this.#stateWasLast = true;
    return this.#state.take();
  }
}

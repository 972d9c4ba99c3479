// What every thread of a shard must know at once, in shared memory: whether the shard admits clients, and how many seats
// and handshakes are taken. A thread writes only its own seats; no thread waits for another.

/** Most threads of a shard. */
const MAX_THREADS = 64;

const FLAGS = { draining: 0, loaded: 1 } as const;
const SEATS_AT = 8;
const PENDING_AT = SEATS_AT + MAX_THREADS;

export class SharedFlags {
  readonly memory: SharedArrayBuffer;
  readonly #values: Int32Array;

  constructor(memory: SharedArrayBuffer = new SharedArrayBuffer((PENDING_AT + MAX_THREADS) * 4)) {
    this.memory = memory;
    this.#values = new Int32Array(memory);
  }

  get draining(): boolean {
    return Atomics.load(this.#values, FLAGS.draining) === 1;
  }

  /** The streams have been read once. */
  get loaded(): boolean {
    return Atomics.load(this.#values, FLAGS.loaded) === 1;
  }

  set(flag: keyof typeof FLAGS): void {
    Atomics.store(this.#values, FLAGS[flag], 1);
  }

  /** Takes one of `max` seats of the shard for a thread; false if none is free. Never gives out more than `max`. */
  takeSeat(thread: number, max: number): boolean {
    return this.#take(SEATS_AT, thread, max);
  }

  leaveSeat(thread: number): void {
    Atomics.sub(this.#values, SEATS_AT + thread, 1);
  }

  /** Takes one of the handshakes that the shard may have under way. */
  takePending(thread: number, max: number): boolean {
    return this.#take(PENDING_AT, thread, max);
  }

  leavePending(thread: number): void {
    Atomics.sub(this.#values, PENDING_AT + thread, 1);
  }

  /** Handshakes under way, all threads. */
  get pending(): number {
    return this.#sum(PENDING_AT);
  }

  /** Frees the seats and handshakes of a dead thread. */
  forget(thread: number): void {
    Atomics.store(this.#values, SEATS_AT + thread, 0);
    Atomics.store(this.#values, PENDING_AT + thread, 0);
  }

  #take(from: number, thread: number, max: number): boolean {
    Atomics.add(this.#values, from + thread, 1);
    if (this.#sum(from) <= max) return true;
    Atomics.sub(this.#values, from + thread, 1);
    return false;
  }

  #sum(from: number): number {
    let sum = 0;
    for (let i = 0; i < MAX_THREADS; i++) sum += Atomics.load(this.#values, from + i);
    return sum;
  }
}

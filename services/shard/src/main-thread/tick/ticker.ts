// The pool's broadcast period. Ticks stay on their grid; when the loop is late, missed ticks merge into one.

/** The timers of the process, or a test's. */
export interface TickTimers {
  nowMs(): number;
  set(run: () => void, delayMs: number): unknown;
  clear(timer: unknown): void;
}

export class Ticker {
  readonly #periodMs: number;
  readonly #timers: TickTimers;
  readonly #run: (lateMs: number) => void;
  #timer: unknown;
  #dueMs = 0;

  /** `run` gets how late the tick is, in milliseconds. */
  constructor(periodMs: number, timers: TickTimers, run: (lateMs: number) => void) {
    this.#periodMs = periodMs;
    this.#timers = timers;
    this.#run = run;
  }

  start(): void {
    this.#dueMs = this.#timers.nowMs() + this.#periodMs;
    this.#arm();
  }

  stop(): void {
    this.#timers.clear(this.#timer);
    this.#timer = undefined;
  }

  /** Runs the tick if it is due. Timers do not fire while the process works off a burst of messages. */
  poke(): void {
    if (this.#timer === undefined || this.#timers.nowMs() < this.#dueMs) return;
    this.#timers.clear(this.#timer);
    this.#tick();
  }

  #arm(): void {
    this.#timer = this.#timers.set(() => this.#tick(), Math.max(0, this.#dueMs - this.#timers.nowMs()));
  }

  #tick(): void {
    const nowMs = this.#timers.nowMs();
    const lateMs = Math.max(0, nowMs - this.#dueMs);
    const missed = Math.floor(lateMs / this.#periodMs);
    this.#dueMs += (missed + 1) * this.#periodMs;
    // Before the run, which may stop the ticker.
    this.#arm();
    this.#run(lateMs);
  }
}

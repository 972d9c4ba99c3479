// When conflated events are announced: behind the messages that have already arrived, and not more often than
// once in `gapMs`. A page that wakes with a thousand queued messages thus sees a few events, not a thousand.
import type { Platform } from './platform.ts';

export class Pace {
  readonly #platform: Platform;
  readonly #gapMs: number;
  readonly #announce: () => void;
  #lastMs = Number.NEGATIVE_INFINITY;
  #timer: unknown;
  #turnIsDue = false;
  #stopped = false;

  constructor(platform: Platform, gapMs: number, announce: () => void) {
    this.#platform = platform;
    this.#gapMs = gapMs;
    this.#announce = announce;
  }

  request(): void {
    if (this.#turnIsDue || this.#stopped) return;
    const waitMs = this.#lastMs + this.#gapMs - this.#platform.now();
    if (waitMs <= 0) {
      // Also where a timer is set already: hidden pages throttle timers, the next message then does its work.
      this.#turnIsDue = true;
      this.#platform.turn(() => this.#run());
    } else {
      this.#timer ??= this.#platform.setTimeout(() => this.#run(), waitMs);
    }
  }

  start(): void {
    this.#stopped = false;
  }

  stop(): void {
    this.#stopped = true;
    this.#platform.clearTimeout(this.#timer);
  }

  #run(): void {
    if (this.#stopped) return;
    this.#platform.clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#turnIsDue = false;
    this.#lastMs = this.#platform.now();
    this.#announce();
  }
}

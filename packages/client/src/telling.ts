// When a stream is told which channels come and go: once for all calls of one turn, twelve times at once, then four times
// a second. With two messages each time that is below what a shard allows by default.
import type { Platform } from './platform.ts';

const GAP_MS = 250;
const BURST_MS = 12 * GAP_MS;

export class Telling {
  readonly #platform: Platform;
  readonly #tell: () => void;
  #isDue = false;
  /** When it would be told next at the steady pace; in the past while the burst lasts. */
  #nextMs = Number.NEGATIVE_INFINITY;

  constructor(platform: Platform, tell: () => void) {
    this.#platform = platform;
    this.#tell = tell;
  }

  request(): void {
    if (this.#isDue) return;
    this.#isDue = true;
    const run = (): void => {
      this.#isDue = false;
      this.#tell();
    };
    const nowMs = this.#platform.now();
    this.#nextMs = Math.max(this.#nextMs, nowMs - BURST_MS) + GAP_MS;
    const waitMs = this.#nextMs - nowMs;
    if (waitMs > 0) this.#platform.setTimeout(run, waitMs);
    else queueMicrotask(run);
  }
}

// When to come with a fresh token: before the present one ends, at a random moment, so that the clients whose tokens are
// of the same minute do not come at once. It asks for the visit; it never fetches a token.
import type { Platform } from './platform.ts';

/** The last minute of a token, or the last quarter of its life where that is shorter. */
const MOST_LEAD_MS = 60_000;
/** With less time left the client waits for the end. */
const LEAST_MS = 5_000;
/** No timer can be set for later. */
const MOST_MS = 2 ** 31 - 1;

export class Renewal {
  readonly #platform: Platform;
  readonly #onDue: () => void;
  #endsMs = 0;
  #timer: unknown;

  constructor(platform: Platform, onDue: () => void) {
    this.#platform = platform;
    this.#onDue = onDue;
  }

  /** A connection began whose token expires in so long, if ever. */
  begin(expiresInMs = 0): void {
    this.#endsMs = this.#platform.now() + expiresInMs;
    this.again();
  }

  /** A renewal failed: what is left of the token decides when the next one is due. */
  again(): void {
    this.stop();
    const leftMs = this.#endsMs - this.#platform.now();
    if (leftMs < LEAST_MS || leftMs > MOST_MS) return;
    const leadMs = Math.min(leftMs / 4, MOST_LEAD_MS) * (1 - this.#platform.random() / 2);
    this.#timer = this.#platform.setTimeout(this.#onDue, leftMs - leadMs);
  }

  stop(): void {
    this.#platform.clearTimeout(this.#timer);
  }
}

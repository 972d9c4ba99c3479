// Notices a connection on which nothing arrives any more, and a machine that has slept. It judges by the wall clock,
// which goes on during sleep, and lets what has arrived meanwhile be heard first, so that a page or process that was
// frozen does not blame the connection. It never ends a connection: it asks for another.
import type { Platform } from './platform.ts';
import type { Wire } from './wire.ts';

/** A connection counts as dead after this many periods of the shard's `beat`. */
const BEATS = 2;
/** Without a beat, where the class shows pings: a shard sends one every 15 s. */
const PINGS_MS = 60_000;
const LEAST_QUIET_MS = 3_000;
/** The longest time between two looks. */
const LOOK_MS = 5_000;
/** A look that is this late means that the machine slept or the process did not run. */
const JUMP_MS = 10_000;
/** For messages that arrived while nothing ran. */
const GRACE_MS = 1_000;

export class Watch {
  readonly #platform: Platform;
  /** The application's own limit. */
  readonly #quietMs: number | undefined;
  readonly #askForAnother: () => void;
  #wire: Wire | undefined;
  #beatMs: number | undefined;
  /** When another connection was asked for. */
  #askedMs: number = Number.NEGATIVE_INFINITY;
  #timer: unknown;

  /** `askForAnother`: nothing arrives on the connection, or the clock jumped while there was none. */
  constructor(platform: Platform, quietMs: number | undefined, askForAnother: () => void) {
    this.#platform = platform;
    this.#quietMs = quietMs;
    this.#askForAnother = askForAnother;
  }

  /** Watches a connection, or the clock alone where there is none. */
  start(wire?: Wire, beatMs?: number): void {
    this.stop();
    this.#wire = wire;
    this.#beatMs = beatMs;
    this.#askedMs = Number.NEGATIVE_INFINITY;
    this.#look();
  }

  stop(): void {
    this.#platform.clearTimeout(this.#timer);
  }

  /** Another connection was asked for, and nothing has arrived on this one since. */
  get isQuiet(): boolean {
    return this.#wire !== undefined && this.#askedMs > this.#wire.heardMs;
  }

  /** Looks now: the page is shown again, say. */
  look(): void {
    this.stop();
    this.#judge();
  }

  /** How long the connection has been quieter than it may be; below 0 where it is not. */
  get #overdueMs(): number {
    const wire = this.#wire;
    if (wire === undefined) return Number.NEGATIVE_INFINITY;
    let mostMs = wire.seesPings ? PINGS_MS : Number.POSITIVE_INFINITY;
    if (this.#beatMs) mostMs = BEATS * this.#beatMs;
    if (this.#quietMs !== undefined) mostMs = Math.max(this.#quietMs, LEAST_QUIET_MS);
    return this.#platform.wallMs() - Math.max(wire.heardMs, this.#askedMs) - mostMs;
  }

  #look(): void {
    const waitMs = Math.min(LOOK_MS, Math.max(-this.#overdueMs, 0));
    const dueMs = this.#platform.wallMs() + waitMs;
    this.#after(waitMs, () => {
      const woke = this.#platform.wallMs() - dueMs > JUMP_MS;
      this.#judge();
      if (woke && this.#wire === undefined) this.#askForAnother();
    });
  }

  #judge(): void {
    const nowMs = this.#platform.wallMs();
    // The clock was set back.
    if (this.#wire !== undefined && this.#wire.heardMs > nowMs) this.#wire.heardMs = nowMs;
    if (this.#overdueMs < 0) this.#look();
    else {
      this.#after(GRACE_MS, () => {
        const quiet = this.#overdueMs >= 0;
        // It asks again when as much time has passed once more.
        if (quiet) this.#askedMs = this.#platform.wallMs();
        this.#look();
        if (quiet) this.#askForAnother();
      });
    }
  }

  #after(ms: number, run: () => void): void {
    this.#timer = this.#platform.setTimeout(run, ms);
  }
}

// Notices a connection on which nothing arrives any more. Counts ticks of its own timer, never time, so that a
// page or process that was frozen does not blame the connection; and it never ends one: it asks for another.
import type { Platform } from './platform.ts';
import type { Wire } from './wire.ts';

const TICKS = 3;
const QUIET_WITH_PINGS_MS = 60_000;
const LEAST_QUIET_MS = 3_000;

export class Watch {
  readonly #platform: Platform;
  readonly #quietMs: number | undefined;
  readonly #onQuiet: () => void;
  #timer: unknown;

  /** Without `quietMs` only wires that see pings are watched: on others quiet and dead look the same. */
  constructor(platform: Platform, quietMs: number | undefined, onQuiet: () => void) {
    this.#platform = platform;
    this.#quietMs = quietMs === undefined ? undefined : Math.max(quietMs, LEAST_QUIET_MS);
    this.#onQuiet = onQuiet;
  }

  start(wire: Wire): void {
    this.stop();
    this.#tick(wire, wire.heard, 0);
  }

  stop(): void {
    this.#platform.clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #tick(wire: Wire, heard: number, quietTicks: number): void {
    const everyMs = (this.#quietMs ?? QUIET_WITH_PINGS_MS) / TICKS;
    this.#timer = this.#platform.setTimeout(() => {
      const isWatched = this.#quietMs !== undefined || wire.seesPings;
      const quiet = isWatched && wire.heard === heard ? quietTicks + 1 : 0;
      this.#tick(wire, wire.heard, quiet % TICKS);
      if (quiet === TICKS) this.#onQuiet();
    }, everyMs);
  }
}

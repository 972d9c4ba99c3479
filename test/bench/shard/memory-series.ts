// The memory of a process over time, and whether it stays flat.
import { residentBytes, sendQueueBytes } from './process-usage.ts';
import type { Row } from './scenario.ts';
import { median, round } from './scenario.ts';

const EVERY_MS = 1_000;
/** Reading the kernel's table of sockets costs much more than reading one number. */
const QUEUES_EVERY = 10;
const MEGA = 1e6;

/** Flatness: the last minute against the second one; in runs below ten minutes, tenths of the run. */
export interface Flatness {
  readonly secondMb: number;
  readonly lastMb: number;
  readonly maxMb: number;
  readonly ratio: number;
}

export class MemorySeries {
  readonly rows: Row[] = [];
  readonly #residentMb: number[] = [];
  readonly #queuedMb: number[] = [];
  readonly #timer: NodeJS.Timeout;

  constructor(pid: number, port?: number) {
    let count = 0;
    this.#timer = setInterval(() => {
      const mb = residentBytes(pid) / MEGA;
      this.#residentMb.push(mb);
      if (port !== undefined && count % QUEUES_EVERY === 0) this.#queuedMb.push(sendQueueBytes(port) / MEGA);
      this.rows.push({ s: count++, 'RSS MB': round(mb, 1), 'kernel MB': round(this.queuedMb, 1) });
    }, EVERY_MS);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** Megabytes that the kernel held for the connections at the last look. */
  get queuedMb(): number {
    return this.#queuedMb.at(-1) ?? 0;
  }

  get maxQueuedMb(): number {
    return Math.max(0, ...this.#queuedMb);
  }

  flatness(): Flatness {
    const values = this.#residentMb;
    const minute = Math.min(60, Math.max(1, Math.floor(values.length / 10)));
    const secondMb = median(values.slice(minute, 2 * minute));
    const lastMb = median(values.slice(-minute));
    return { secondMb, lastMb, maxMb: Math.max(...values), ratio: lastMb / secondMb };
  }
}

// How loaded this shard is, once a second: event loop, egress, tick lateness. It measures, and sends nothing.
import type { EventLoopUtilization } from 'node:perf_hooks';
import { performance } from 'node:perf_hooks';

/** Load over the last period. */
export interface Load {
  readonly loopUtilisation: number;
  readonly egressBytesPerSecond: number;
  /** The latest tick of the period, in milliseconds behind its time. */
  readonly tickLatenessMs: number;
}

export class LoadMeter {
  #elu: EventLoopUtilization = performance.eventLoopUtilization();
  #bytes = 0;
  #atMs: number;
  #latestMs = 0;

  constructor(nowMs: number) {
    this.#atMs = nowMs;
  }

  /** A tick ran so late. */
  tick(lateMs: number): void {
    this.#latestMs = Math.max(this.#latestMs, lateMs);
  }

  /** The load since the last call, from the total of bytes written. */
  take(nowMs: number, bytesTotal: number): Load {
    const elu = performance.eventLoopUtilization();
    const seconds = Math.max(0.001, (nowMs - this.#atMs) / 1000);
    const load = {
      loopUtilisation: Math.min(1, Math.max(0, performance.eventLoopUtilization(elu, this.#elu).utilization)),
      egressBytesPerSecond: Math.round((bytesTotal - this.#bytes) / seconds),
      tickLatenessMs: this.#latestMs,
    };
    this.#elu = elu;
    this.#bytes = bytesTotal;
    this.#atMs = nowMs;
    this.#latestMs = 0;
    return load;
  }
}

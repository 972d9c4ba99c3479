// The fan-out threads of a shard: starts them, watches them, and replaces a thread that has died or is stuck. The death of
// a thread ends the connections of its own clients, and of no others.
import type { EventLoopUtilization } from 'node:perf_hooks';
import type { Worker } from 'node:worker_threads';
import type { Logger } from '@weir/runtime';
import type { FromThread, ToThread } from '../../port/messages.ts';
import type { Link, LinkCounts } from './link.ts';

/** A thread that died young is not started again at once. */
const YOUNG_MS = 10_000;
const RESTART_MS = 100;
const RESTART_YOUNG_MS = 1_000;
/** With this many deaths per thread within a minute, another thread will not help. */
const HOPELESS_DEATHS = 10;
const MINUTE_MS = 60_000;
const STOP_MS = 2_000;

export type Post = (message: ToThread, transfer: readonly ArrayBuffer[]) => void;

export interface ThreadsOptions {
  readonly threads: number;
  /** Longest time without a sign of life from a thread that owes one, of time in which this process ran. */
  readonly stuckMs: number;
  readonly spawn: (index: number) => Worker;
  readonly link: (post: Post) => Link;
  readonly onMessage: (thread: Thread, message: FromThread) => void;
  /** A thread runs in the place of one that has died. */
  readonly onReplaced: (thread: Thread) => void;
  /** Before another takes its place. */
  readonly onDeath: (index: number) => void;
  readonly onHopeless: () => void;
  readonly nowMs: () => number;
  readonly logger: Logger;
}

export class Thread {
  readonly index: number;
  readonly link: Link;
  readonly bornMs: number;
  readonly #worker: Worker;
  #alive = true;
  #elu: EventLoopUtilization;
  #loopUtilisation = 0;

  constructor(index: number, worker: Worker, link: (post: Post) => Link, bornMs: number) {
    this.index = index;
    this.bornMs = bornMs;
    this.#worker = worker;
    this.#elu = worker.performance.eventLoopUtilization();
    this.link = link((message, transfer) => this.post(message, transfer));
    worker.once('exit', () => {
      this.#alive = false;
    });
  }

  get alive(): boolean {
    return this.#alive;
  }

  /** Of the time between the last two measurements, 0 to 1. */
  get loopUtilisation(): number {
    return this.#loopUtilisation;
  }

  post(message: ToThread, transfer: readonly ArrayBuffer[] = []): void {
    if (this.#alive) this.#worker.postMessage(message, transfer);
  }

  measure(): void {
    const elu = this.#worker.performance.eventLoopUtilization();
    const { utilization } = this.#worker.performance.eventLoopUtilization(elu, this.#elu);
    this.#loopUtilisation = Number.isFinite(utilization) ? Math.min(1, Math.max(0, utilization)) : 0;
    this.#elu = elu;
  }

  async terminate(): Promise<void> {
    await this.#worker.terminate();
  }

  /** Resolves when it has ended. */
  async ended(): Promise<void> {
    if (this.#alive) await new Promise<void>((resolve) => this.#worker.once('exit', () => resolve()));
  }
}

export class Threads {
  readonly #options: ThreadsOptions;
  readonly #threads: (Thread | undefined)[] = [];
  #deathsMs: number[] = [];
  #deaths = 0;
  readonly #deadCounts: LinkCounts = { handOvers: 0, bytes: 0, mergedTicks: 0, cosmeticDropped: 0 };
  #stopping = false;
  /** Time in which this process ran. */
  #ranMs = 0;
  #watchedMs: number;
  /** Since when, in that time, each thread owes a sign of life, and of when that debt is. */
  readonly #owing = new Map<Thread, { readonly heardMs: number; readonly sinceRanMs: number }>();

  constructor(options: ThreadsOptions) {
    this.#options = options;
    this.#watchedMs = options.nowMs();
  }

  get deaths(): number {
    return this.#deaths;
  }

  /** The threads that are alive. */
  *[Symbol.iterator](): IterableIterator<Thread> {
    for (const thread of this.#threads) if (thread?.alive === true) yield thread;
  }

  /** A count of all links, also of those to threads that have died. */
  linkCounts(key: keyof LinkCounts): number {
    return [...this].reduce((sum, { link }) => sum + link.counts[key], this.#deadCounts[key]);
  }

  start(): void {
    for (let index = 0; index < this.#options.threads; index++) this.#start(index);
  }

  /** Called a few times a second: ends threads that are stuck. */
  watch(): void {
    const { nowMs, stuckMs, logger } = this.#options;
    const now = nowMs();
    // Longer than that and the process itself was stopped or starved.
    this.#ranMs += Math.min(now - this.#watchedMs, 500);
    this.#watchedMs = now;
    for (const thread of this) {
      thread.link.nudge(now);
      const heardMs = thread.link.owingSinceMs;
      const owing = this.#owing.get(thread);
      if (heardMs === undefined) this.#owing.delete(thread);
      else if (owing?.heardMs !== heardMs) this.#owing.set(thread, { heardMs, sinceRanMs: this.#ranMs });
      else if (this.#ranMs - owing.sinceRanMs >= stuckMs) {
        logger.error({ thread: thread.index }, 'fan-out thread does not answer');
        this.#owing.delete(thread);
        void thread.terminate();
      }
    }
  }

  measure(): void {
    for (const thread of this) thread.measure();
  }

  /** Ends all threads; one that does not end in time is terminated. */
  async stop(): Promise<void> {
    this.#stopping = true;
    await Promise.all(
      [...this].map(async (thread) => {
        thread.post({ type: 'stop' });
        const timer = setTimeout(() => void thread.terminate(), STOP_MS);
        await thread.ended();
        clearTimeout(timer);
      }),
    );
  }

  #start(index: number): Thread {
    const { spawn, link, onMessage, logger, nowMs } = this.#options;
    const worker = spawn(index);
    const thread = new Thread(index, worker, link, nowMs());
    this.#threads[index] = thread;
    worker.on('message', (messages: readonly FromThread[]) => {
      if (this.#threads[index] !== thread) return;
      for (const message of messages) onMessage(thread, message);
      thread.link.flushReplies();
    });
    worker.on('error', (err) => logger.error({ err, thread: index }, 'fan-out thread failed'));
    worker.once('exit', () => this.#ended(thread));
    return thread;
  }

  #ended(thread: Thread): void {
    if (this.#stopping) return;
    const { nowMs, onDeath, onReplaced, onHopeless, logger, threads } = this.#options;
    const now = nowMs();
    this.#deaths++;
    this.#deathsMs = [...this.#deathsMs.filter((atMs) => now - atMs < MINUTE_MS), now];
    this.#owing.delete(thread);
    const { handOvers, bytes, mergedTicks, cosmeticDropped } = thread.link.counts;
    this.#deadCounts.handOvers += handOvers;
    this.#deadCounts.bytes += bytes;
    this.#deadCounts.mergedTicks += mergedTicks;
    this.#deadCounts.cosmeticDropped += cosmeticDropped;
    logger.error({ thread: thread.index, deaths: this.#deaths }, 'fan-out thread has ended');
    onDeath(thread.index);
    if (this.#deathsMs.length >= HOPELESS_DEATHS * threads) return onHopeless();
    setTimeout(
      () => {
        if (!this.#stopping) onReplaced(this.#start(thread.index));
      },
      now - thread.bornMs < YOUNG_MS ? RESTART_YOUNG_MS : RESTART_MS,
    );
  }
}

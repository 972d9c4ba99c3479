// A shard from NATS to its fan-out threads: intake -> lanes -> tick -> encode -> hand-over. Read this file first, then
// thread.ts, which goes on from there to the sockets. It only connects the stages, each of which knows nothing of the
// others. This thread never accepts a client and never writes to one.
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Worker } from 'node:worker_threads';
import { createSubjects, streamDefinitions } from '@weir/protocol';
import type { Clock, Health, Logger, NatsLink } from '@weir/runtime';
import { ensureStreams } from '@weir/runtime';
import type { ShardConfig } from '../config.ts';
import { drainMovesMs, poolDefaults, streamLimits, threadsOf } from '../config.ts';
import { count, gauge, sumOf } from '../port/counts.ts';
import { Deflater } from '../port/deflate.ts';
import type { FromThread, Heads } from '../port/messages.ts';
import { sharedMs } from '../port/shared-clock.ts';
import { SharedFlags } from '../port/shared-flags.ts';
import { SummedCounts } from '../port/thread-counts.ts';
import type { ThreadStart } from '../port/thread-start.ts';
import { Arrivals } from './admit/arrivals.ts';
import type { LaneHeads } from './admit/resume.ts';
import { isAhead, startOf } from './admit/resume.ts';
import { CatchUps } from './catch-up/catch-ups.ts';
import { Doubts } from './claims/doubts.ts';
import { ThreadDrains } from './drain/thread-drains.ts';
import { Encoder } from './encode/encoder.ts';
import { Link } from './hand-over/link.ts';
import type { Thread } from './hand-over/threads.ts';
import { Threads } from './hand-over/threads.ts';
import { Intake } from './intake/intake.ts';
import { createLanes } from './lanes/create-lanes.ts';
import type { Lanes } from './lanes/lanes.ts';
import { criticalSink, stateSink } from './lanes/sinks.ts';
import { FrontDoor } from './listen/front-door.ts';
import type { ShardMetrics } from './metrics.ts';
import type { Standing } from './report/beats.ts';
import { Beats } from './report/beats.ts';
import { Losses } from './report/losses.ts';
import { Shedding } from './shed/shedding.ts';
import { Ticker } from './tick/ticker.ts';

const BEAT_MS = 1_000;
const WATCH_MS = 250;
const EXPIRE_MS = 5_000;
const CACHE_BYTES = 33_554_432;
/** Checks whether a tick is due after this many messages. */
const MESSAGES_A_LOOK = 64;

export interface ShardOptions {
  readonly config: ShardConfig;
  readonly roomForClients: number;
  readonly link: NatsLink;
  readonly metrics: ShardMetrics;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly startThread: (start: ThreadStart) => Worker;
}

export class Shard {
  readonly encoder: Encoder;
  readonly deflater: Deflater;
  readonly lanes: Lanes;
  readonly losses: Losses;
  readonly intake: Intake;
  readonly threads: Threads;
  readonly flags: SharedFlags = new SharedFlags();
  readonly counts: SummedCounts;
  readonly #options: ShardOptions;
  readonly #ticker: Ticker;
  readonly #beats: Beats;
  readonly arrivals: Arrivals;
  readonly #doubts: Doubts;
  readonly #catchUps: CatchUps;
  readonly #shedding: Shedding;
  readonly #timers: NodeJS.Timeout[] = [];
  /** Names this start of the shard. Tickets of an earlier start are refused, because their use is not remembered. */
  readonly #incarnation = randomBytes(6).toString('base64url');
  readonly #subjects: ReturnType<typeof createSubjects>;
  readonly #sockets: Int32Array;
  readonly #doorways: Int32Array;
  readonly #frontDoor = new FrontDoor();
  readonly drains: ThreadDrains;
  #flush: NodeJS.Immediate | undefined;
  #port = 0;
  #accepted = 0;

  constructor(options: ShardOptions) {
    this.#options = options;
    const { config, link, metrics, logger } = options;
    const nowMs = (): number => options.clock.monotonicMs();
    const pool = poolDefaults(config);
    this.#subjects = createSubjects(config.subjectPrefix);
    this.#beats = new Beats({
      config,
      clock: options.clock,
      standing: () => this.#standing(),
      publish: (beat) => link.publish(this.#subjects.beat(config.pool, config.shardId), beat),
    });
    this.drains = new ThreadDrains({ ...config, nowMs });
    this.arrivals = new Arrivals({
      maxUsedTickets: config.maxUsedTickets,
      draws: config,
      snapshotBytes: (channel) => this.lanes.state.log(channel).bytes,
      criticalBytes: (channel, which) => this.lanes.critical.bytesOf(channel, which),
      isAhead: (position) => isAhead(position, this.#laneHeads()),
      startOf: (channel, arriving) => startOf(channel, arriving, this.#laneHeads()),
      poke: () => this.intake.poke(),
      nowMs,
      sleep,
    });
    this.#doubts = new Doubts(() => (this.intake.stale ? undefined : this.#read()));
    const { lanes, lost, makeState, makeCritical } = createLanes(config);
    this.lanes = lanes;
    this.losses = new Losses(lost, logger);
    this.encoder = new Encoder(this.lanes, {
      maxFrameBytes: config.maxFrameBytes,
      maxCacheBytes: CACHE_BYTES,
    });
    this.deflater = new Deflater({ minBytes: config.compressionMinBytes });
    this.#sockets = new Int32Array(new SharedArrayBuffer(threadsOf(config) * 4));
    this.#doorways = new Int32Array(new SharedArrayBuffer(threadsOf(config) * 4));
    this.counts = new SummedCounts(threadsOf(config));
    this.threads = new Threads({
      threads: threadsOf(config),
      stuckMs: config.threadStuckMs,
      spawn: (index) => this.#spawn(index),
      link: (post) =>
        new Link({ source: this.encoder, deflate: (run) => this.deflater.run(run), post, nowMs: sharedMs }),
      onMessage: (thread, message) => this.#heard(thread, message),
      onDeath: (index) => {
        this.#frontDoor.died();
        this.flags.forget(index);
        Atomics.store(this.#doorways, index, 0);
        Atomics.store(this.#sockets, index, 0);
        this.counts.died(index);
      },
      onReplaced: (thread) => this.#frontDoor.letAccept(thread),
      onHopeless: () => {
        throw new Error('fan-out threads end as fast as they are started');
      },
      nowMs: sharedMs,
      logger,
    });
    const { encoder, threads } = this;
    this.intake = new Intake({
      link,
      logger,
      subjects: this.#subjects,
      bounds: { messageBytes: config.maxMessageBytes, depth: config.maxDepth },
      verifyMs: config.verifyMs,
      nowMs,
      // Not within the turn of the load: until it ends the shard counts as stale, and its beat would say so.
      onLoaded: () => {
        this.flags.set('loaded');
        queueMicrotask(() => this.#beatWhenReady());
      },
      streams: streamDefinitions(this.#subjects, streamLimits(config)),
      ensure: async (connection, definition, again) => {
        await ensureStreams({ connection, streams: [definition], logger, again });
      },
      state: stateSink({
        lanes,
        lost,
        make: makeState,
        nowMs,
        onLost: (loss) => this.losses.state(loss),
        onLoaded: () => {
          encoder.restart('state');
          for (const { link: to } of threads) to.reset('state', this.#heads(), 0);
        },
      }),
      critical: criticalSink({
        lanes,
        make: makeCritical,
        nowMs,
        onLost: (messages) => this.losses.critical(messages),
        onNews: (channel, entry) => {
          encoder.critical(channel, entry);
          this.#flush ??= setImmediate(() => this.#flushCritical());
        },
        beforeLost: () => this.#flushCritical(),
        onUnread: (channels) => {
          encoder.criticalLost(channels);
          this.#flush ??= setImmediate(() => this.#flushCritical());
        },
        onLoaded: ({ sinceSeq }) => {
          encoder.restart('critical');
          for (const { link: to } of threads) to.reset('critical', this.#heads(), sinceSeq);
        },
      }),
      cosmetic: (channel, value) => {
        if (!lanes.cosmetic.add(channel, value)) metrics.cosmeticDropped();
      },
      onAccepted: (lane) => {
        metrics.accepted(lane);
        if (++this.#accepted % MESSAGES_A_LOOK === 0) this.#ticker.poke();
      },
      onRejected: metrics.rejected,
      onProblem: metrics.intakeProblem,
      onCurrent: () => this.#doubts.answer(),
    });
    this.#catchUps = new CatchUps({
      source: encoder,
      deflate: (run) => this.deflater.run(run),
      newest: () => this.intake.newestState(),
      seq: () => lanes.state.seq,
      sleep,
      count: metrics.resumed,
    });
    this.#shedding = new Shedding({
      movesPerSecond: config.movesPerSecond,
      fit: () => this.health().ready && !this.intake.stale,
      threads: () =>
        [...threads].map((thread) => ({
          connections: this.counts.of(thread.index, 'gauges', gauge.connections),
          ask: (id, order) => thread.post({ type: 'shed', id, ...order }),
        })),
      answer: (subject, answer) => link.publish(subject, answer),
      nowMs,
      sleep,
      count: metrics.shed,
      onFault: (err) => logger.error({ err }, 'requests to shed are not heard'),
    });
    this.#shedding.listen(link, this.#subjects.shed(config.shardId));
    this.#ticker = new Ticker(
      pool.tickMs,
      { nowMs, set: setTimeout, clear: (timer) => clearTimeout(timer as never) },
      (lateMs) => this.#tick(lateMs),
    );
  }

  /** Begins to listen, to tick and to report. Resolves with the port. */
  async start(): Promise<number> {
    const { clock } = this.#options;
    this.threads.start();
    this.#port = await this.#frontDoor.open([...this.threads], this.#options.config);
    this.#ticker.start();
    this.#timers.push(
      setInterval(() => this.threads.watch(), WATCH_MS),
      setInterval(() => this.beat(), BEAT_MS),
      setInterval(() => {
        this.lanes.expire(clock.monotonicMs());
        this.losses.expire(clock.monotonicMs());
      }, EXPIRE_MS),
    );
    this.#beatWhenReady();
    return this.#port;
  }

  /** Where clients reach this shard. */
  get url(): string {
    return this.#options.config.publicUrl ?? `ws://127.0.0.1:${this.#port}`;
  }

  get openSockets(): number {
    return sumOf(this.#sockets);
  }

  get connections(): number {
    return this.counts.sum('gauges', gauge.connections);
  }

  health(): Health {
    const reasons = [
      ...(this.flags.draining ? ['draining'] : []),
      ...(this.#port === 0 ? ['not listening yet'] : []),
      ...(this.intake.loaded ? [] : ['has not read the streams yet']),
    ];
    return {
      ready: reasons.length === 0,
      reasons,
      info: { stale: this.intake.stale, connections: this.connections },
    };
  }

  /** Reports the load to routers and control. */
  beat(): void {
    this.#beats.beat();
  }

  #standing(): Standing {
    const { threads, counts } = this;
    threads.measure();
    return {
      url: this.url,
      incarnation: this.#incarnation,
      connections: this.connections,
      ...counts.backlog,
      writtenBytes: counts.sum('fanOut', count.bytes),
      threadUtilisation: Math.max(0, ...[...threads].map(({ loopUtilisation }) => loopUtilisation)),
      draining: this.flags.draining,
      stale: this.intake.stale,
      ready: this.health().ready,
    };
  }

  /** Sends the first beat at once: routers have clients to place. */
  #beatWhenReady(): void {
    if (this.health().ready) this.beat();
  }

  /** Moves all clients away. Resolves when the threads have drained. */
  async drain(): Promise<void> {
    const { config, logger, link } = this.#options;
    logger.info({ connections: this.connections }, 'draining');
    this.flags.set('draining');
    this.drains.pace.listen(link.connection, this.#subjects.poolBeats(config.pool));
    this.beat();
    // Also without clients: routers that have not heard the beat yet are still sending some.
    await sleep(config.drainGraceMs);
    await this.drains.run(this.threads, {
      movesMs: drainMovesMs(config),
      connections: ({ index }) => this.counts.of(index, 'gauges', gauge.connections),
    });
  }

  async stop(): Promise<void> {
    this.#ticker.stop();
    for (const timer of this.#timers) clearInterval(timer);
    clearImmediate(this.#flush);
    this.intake.stop();
    await this.threads.stop();
    this.#frontDoor.close();
  }

  #spawn(index: number): Worker {
    const start: ThreadStart = {
      index,
      config: this.#options.config,
      incarnation: this.#incarnation,
      roomForClients: this.#options.roomForClients,
      heads: this.#heads(),
      flags: this.flags.memory,
      counts: this.counts.born(index),
      sockets: this.#sockets,
      doorways: this.#doorways,
    };
    return this.#options.startThread(start);
  }

  #heard(thread: Thread, message: FromThread): void {
    switch (message.type) {
      case 'done':
        return thread.link.done(message.number);
      case 'want':
        return thread.link.want(message);
      case 'catchUp':
        return this.#catchUps.answer(thread.link, message);
      case 'arrive':
        return this.arrivals.answer(thread.link, message);
      case 'looked':
        return this.#options.logger.debug(message.look, 'looked at the network of a client');
      case 'doubt':
        return this.#doubts.ask(thread);
      case 'drained':
        return this.drains.drained(thread);
      case 'shedding':
        return this.#shedding.shedding(message.id, message.accepted);
      case 'opened':
      case 'notOpened':
        return this.#frontDoor.opened(message);
    }
  }

  #tick(lateMs: number): void {
    this.#beats.tick(lateMs);
    this.#options.metrics.tick(lateMs);
    const news = this.encoder.tick(lateMs);
    for (const { link } of this.threads) link.news(news);
  }

  #flushCritical(): void {
    this.#flush = undefined;
    if (!this.encoder.criticalWaiting) return;
    const news = this.encoder.flush();
    for (const { link } of this.threads) link.news(news);
  }

  #heads(): Heads {
    const { stateEpoch, criticalEpoch } = this.lanes;
    const { stateSeq, criticalSeq, stateMs, criticalMs } = this.encoder;
    return { stateEpoch, stateSeq, criticalEpoch, criticalSeq, stateMs, criticalMs };
  }

  /** How far the streams have been read, whether clients have been told or not. */
  #read(): Heads {
    const { state, critical } = this.lanes;
    return { ...this.#heads(), stateSeq: state.seq, criticalSeq: critical.seq };
  }

  #laneHeads(): LaneHeads {
    const { lanes } = this;
    return {
      ...this.#heads(),
      stateSeq: lanes.state.seq,
      stateFloor: (channel) => lanes.state.log(channel).floorSeq,
      criticalLostSeq: (channel) => lanes.critical.lostSeq(channel),
      ...lanes.proofs,
      stale: this.intake.stale,
    };
  }
}

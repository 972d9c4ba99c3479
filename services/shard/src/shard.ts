// A shard from NATS to socket: intake -> lanes -> tick -> encode -> fan-out -> connection. Read this file first;
// it only connects the stages, each of which knows nothing of the others.
import { randomBytes } from 'node:crypto';
import type { Server } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { encodeBeat } from '@weir/fleet';
import type { ControlMessage, Position } from '@weir/protocol';
import {
  closeCodes,
  controlText,
  createSubjects,
  issueHint,
  moveUrl,
  secured,
  streamDefinitions,
  utf8Frame,
  verifyTicket,
} from '@weir/protocol';
import type { Clock, Health, Logger, NatsLink } from '@weir/runtime';
import { ensureStreams } from '@weir/runtime';
import type { Arrival } from './admit/admission.ts';
import { Admission } from './admit/admission.ts';
import { UsedTickets } from './admit/used-tickets.ts';
import type { ShardConfig } from './config.ts';
import { poolDefaults } from './config.ts';
import { closeGently } from './connection/closing.ts';
import { Connection } from './connection/connection.ts';
import { InboundRate, judgeInbound } from './connection/inbound.ts';
import type { LaneHeads } from './connection/resume.ts';
import { isAhead, startOf } from './connection/resume.ts';
import { drain } from './drain/drain.ts';
import { Deflater } from './encode/deflate.ts';
import { Encoder } from './encode/encoder.ts';
import { FanOut } from './fan-out/fan-out.ts';
import { Intake } from './intake/intake.ts';
import { CosmeticLane } from './lanes/cosmetic-lane.ts';
import { CriticalLane } from './lanes/critical-lane.ts';
import { Lanes } from './lanes/lanes.ts';
import { criticalSink, stateSink } from './lanes/sinks.ts';
import { StateLane } from './lanes/state-lane.ts';
import type { CloseCause, ShardMetrics } from './metrics.ts';
import { Reassignment } from './reassign/reassignment.ts';
import { Standing } from './reassign/standing.ts';
import { LoadMeter } from './report/load.ts';
import { Ticker } from './tick/ticker.ts';

const BEAT_MS = 1_000;
const SWEEP_MS = 250;
const EXPIRE_MS = 5_000;
/** How long a client's position may be ahead of this shard before it counts as one of another epoch. */
const REACH_MS = 2_000;
const REACH_STEP_MS = 20;
const HINT_TTL_MS = 120_000;
/** Slow clients need longer than others to be welcome elsewhere. */
const REASSIGN_WITHIN_MS = 10_000;
const CACHE_BYTES = 33_554_432;

export interface ShardOptions {
  readonly config: ShardConfig;
  readonly link: NatsLink;
  readonly metrics: ShardMetrics;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly random: () => number;
}

export class Shard {
  readonly fanOut: FanOut;
  readonly encoder: Encoder;
  readonly deflater: Deflater;
  readonly lanes: Lanes;
  readonly intake: Intake;
  readonly #options: ShardOptions;
  readonly #admission: Admission;
  readonly #server: Server;
  readonly #ticker: Ticker;
  readonly #load: LoadMeter;
  readonly #used: UsedTickets;
  readonly #reassignment: Reassignment;
  /** The pong that is being judged: one object for all of them. */
  readonly #pong = { lagMs: 0, writtenBytes: 0, flowingSinceMs: 0, connections: 0, nowMs: 0 };
  readonly #timers: NodeJS.Timeout[] = [];
  readonly #subjects: ReturnType<typeof createSubjects>;
  #flush: NodeJS.Immediate | undefined;
  #port = 0;
  #draining = false;

  constructor(options: ShardOptions) {
    this.#options = options;
    const { config, link, metrics, logger } = options;
    const nowMs = (): number => options.clock.monotonicMs();
    const pool = poolDefaults(config);
    this.#subjects = createSubjects(config.subjectPrefix);
    this.#load = new LoadMeter(nowMs());
    this.#used = new UsedTickets(config.maxUsedTickets);
    this.#reassignment = new Reassignment({
      demotes: pool.demotion,
      promotes: pool.promotion,
      slowLagMs: config.demotionLagMs,
      minStayMs: config.minStayMs,
      healthMs: config.promotionHealthMs,
      healthyRttMs: config.promotionRttMs,
      healthyLagMs: config.promotionLagMs,
      healthyBytes: config.promotionMinBytes,
      backoffMs: config.moveBackoffMs,
      maxBackoffMs: config.moveBackoffMaxMs,
      threads: 1,
    });
    const makeState = (): StateLane =>
      new StateLane({
        maxKeys: config.stateMaxKeys,
        maxBytes: config.stateMaxBytes,
        deletionMs: config.stateDeletionMs,
      });
    const makeCritical = (): CriticalLane =>
      new CriticalLane({
        maxAgeMs: config.criticalMaxAgeMs,
        maxPerChannel: config.criticalMaxPerChannel,
        maxBytes: config.criticalMaxBytes,
      });
    this.lanes = new Lanes(
      makeState(),
      makeCritical(),
      new CosmeticLane({
        maxPerTick: config.cosmeticMaxPerTick,
        maxBytesPerTick: config.cosmeticMaxBytesPerTick,
      }),
    );
    this.encoder = new Encoder(this.lanes, {
      maxFrameBytes: config.maxFrameBytes,
      maxCacheBytes: CACHE_BYTES,
    });
    this.deflater = new Deflater({ minBytes: config.compressionMinBytes });
    this.fanOut = new FanOut({
      deflate: (run) => this.deflater.run(run),
      flow: pool,
      ping: config,
      positionMs: config.positionMs,
      idlePositionMs: config.idlePositionMs,
      source: this.encoder,
      nowMs,
      onEvict: (connection, reason) => this.#close(connection, reason),
      onLag: (connection) => this.#delivered(connection),
    });
    const { lanes, encoder, fanOut } = this;
    this.intake = new Intake({
      link,
      logger,
      subjects: this.#subjects,
      bounds: { messageBytes: config.maxMessageBytes, depth: config.maxDepth },
      verifyMs: config.verifyMs,
      nowMs,
      // Not within the turn of the load: until its end the shard still counts as stale, and so would its beat.
      onLoaded: () => queueMicrotask(() => this.#beatWhenReady()),
      streams: streamDefinitions(this.#subjects, {
        criticalMaxAgeMs: config.criticalMaxAgeMs,
        criticalMaxPerChannel: config.criticalMaxPerChannel,
        maxBytes: config.streamMaxBytes,
        replicas: config.streamReplicas,
      }),
      ensure: async (connection, definition) => {
        await ensureStreams({ connection, streams: [definition], logger });
      },
      state: stateSink({
        lanes,
        make: makeState,
        nowMs,
        onLoaded: () => {
          encoder.restart('state');
          fanOut.resetState();
        },
      }),
      critical: criticalSink({
        lanes,
        make: makeCritical,
        nowMs,
        onNews: (channel, entry) => {
          encoder.critical(channel, entry);
          this.#flush ??= setImmediate(() => this.#flushCritical());
        },
        onLoaded: ({ afterSeq, sinceSeq }) => {
          encoder.restart('critical');
          fanOut.resetCritical(afterSeq, sinceSeq);
        },
      }),
      cosmetic: (channel, value) => {
        if (!lanes.cosmetic.add(channel, value)) metrics.cosmeticDropped();
      },
      onAccepted: metrics.accepted,
      onRejected: metrics.rejected,
      onProblem: metrics.intakeProblem,
    });
    this.#admission = new Admission({
      maxPending: config.maxPending,
      compression: pool.compression,
      verify: (ticket) =>
        verifyTicket(ticket, {
          keys: config.ticketKeys,
          nowMs: options.clock.wallMs(),
          pool: config.pool,
          shard: config.shardId,
        }),
      use: (ticket, expiresInMs) => this.#used.use(ticket.id, nowMs(), expiresInMs),
      refusal: () => this.#refusal(),
      reach: (position) => this.#reach(position),
      close: ({ ws, socket, code, reason }) => closeGently({ ws, socket, code: code.code, reason }),
      admit: (arrival) => this.#admit(arrival),
      count: metrics.admitted,
    });
    this.#server = createServer(
      { maxHeaderSize: 16_384, headersTimeout: 10_000, requestTimeout: 10_000, keepAliveTimeout: 1_000 },
      (request, response) => {
        const { status, text } = this.#admission.answer(request);
        response.writeHead(status, { 'content-type': 'text/plain', connection: 'close' }).end(`${text}\n`);
      },
    );
    this.#server.on('upgrade', (request, socket, head) => this.#admission.upgrade(request, socket, head));
    this.#ticker = new Ticker(
      pool.tickMs,
      { nowMs, set: setTimeout, clear: (timer) => clearTimeout(timer as never) },
      (lateMs) => this.#tick(lateMs),
    );
  }

  /** Begins to listen, to tick and to report. Resolves with the port. */
  async start(): Promise<number> {
    const { config, clock } = this.#options;
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen({ host: config.host, port: config.port, backlog: 4_096 }, () => resolve());
    });
    this.#port = (this.#server.address() as AddressInfo).port;
    this.#ticker.start();
    this.#timers.push(
      setInterval(() => this.fanOut.sweep(), SWEEP_MS),
      setInterval(() => this.beat(), BEAT_MS),
      setInterval(() => {
        this.lanes.state.forgetDeletions(clock.monotonicMs());
        this.lanes.critical.expire(clock.monotonicMs());
      }, EXPIRE_MS),
    );
    this.#beatWhenReady();
    return this.#port;
  }

  /** Where clients reach this shard. */
  get url(): string {
    return this.#options.config.publicUrl ?? `ws://127.0.0.1:${this.#port}`;
  }

  get pending(): number {
    return this.#admission.pending;
  }

  get usedTickets(): number {
    return this.#used.size;
  }

  health(): Health {
    const reasons = [
      ...(this.#draining ? ['draining'] : []),
      ...(this.#port === 0 ? ['not listening yet'] : []),
      ...(this.intake.loaded ? [] : ['has not read the streams yet']),
    ];
    return {
      ready: reasons.length === 0,
      reasons,
      info: { stale: this.intake.stale, connections: this.fanOut.size },
    };
  }

  /** Reports the load to routers and control. */
  beat(): void {
    const { config, link, clock } = this.#options;
    const { pool, shardId, capacity, revision = '' } = config;
    const load = this.#load.take(clock.monotonicMs(), this.fanOut.counts.bytes);
    let backlogBytes = 0;
    for (const connection of this.fanOut.connections()) backlogBytes += connection.backlogBytes;
    const beat = encodeBeat({
      v: 1,
      pool,
      shard: shardId,
      url: this.url,
      connections: this.fanOut.size,
      capacity,
      backlogBytes,
      ...load,
      draining: this.#draining,
      stale: this.intake.stale,
      ready: this.health().ready,
      revision,
      wallMs: clock.wallMs(),
    });
    link.publish(this.#subjects.beat(pool, shardId), beat);
  }

  /** The first beat is not waited for: routers have clients to place. */
  #beatWhenReady(): void {
    if (this.health().ready) this.beat();
  }

  /** Moves everybody away, then stops. */
  async drain(): Promise<void> {
    const { config, random, logger } = this.#options;
    logger.info({ connections: this.fanOut.size }, 'draining');
    await drain({
      limits: {
        graceMs: config.drainGraceMs,
        windowMs: config.drainWindowMs,
        withinMs: config.drainWithinMs,
        movesPerSecond: config.movesPerSecond,
      },
      connections: () => [...this.fanOut.connections()],
      move: (connection) => this.#move(connection, 'drain', config.drainWithinMs),
      close: (connection) => this.#close(connection, 'drain'),
      announce: () => {
        this.#draining = true;
        this.beat();
      },
      sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
      random,
    });
  }

  async stop(): Promise<void> {
    this.#ticker.stop();
    for (const timer of this.#timers) clearInterval(timer);
    clearImmediate(this.#flush);
    this.intake.stop();
    for (const connection of this.fanOut.connections()) connection.destroy();
    this.#server.closeAllConnections();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  #tick(lateMs: number): void {
    this.#load.tick(lateMs);
    this.#options.metrics.tick(lateMs);
    this.#reassignment.tick(lateMs, this.#options.clock.monotonicMs());
    this.fanOut.broadcast(this.encoder.tickBatch());
  }

  #flushCritical(): void {
    this.#flush = undefined;
    if (this.encoder.criticalWaiting) this.fanOut.broadcast(this.encoder.criticalBatch());
  }

  #refusal(): 'full' | 'draining' | 'notReady' | undefined {
    if (this.#draining) return 'draining';
    if (!this.intake.loaded) return 'notReady';
    return this.fanOut.size >= this.#options.config.capacity ? 'full' : undefined;
  }

  #heads(): LaneHeads {
    const { lanes, encoder } = this;
    return {
      stateEpoch: lanes.stateEpoch,
      stateSeq: lanes.state.seq,
      criticalEpoch: lanes.criticalEpoch,
      criticalSeq: encoder.criticalSeq,
      stateFloor: (channel) => lanes.state.log(channel)?.floorSeq ?? 0,
      criticalLostSeq: (channel) => lanes.critical.lostSeq(channel),
      stale: this.intake.stale,
    };
  }

  async #reach(position: Position): Promise<void> {
    for (
      let waitedMs = 0;
      waitedMs < REACH_MS && isAhead(position, this.#heads());
      waitedMs += REACH_STEP_MS
    ) {
      if (waitedMs === REACH_STEP_MS * 10) this.intake.poke();
      await new Promise((resolve) => setTimeout(resolve, REACH_STEP_MS));
    }
  }

  #admit({ ws, socket, ticket, position, compressed }: Arrival): void {
    const { config, clock } = this.#options;
    const heads = this.#heads();
    const starts = ticket.channels.map((channel) => startOf(channel, position, heads));
    const session = randomBytes(12).toString('base64url');
    const connection = new Connection({
      session,
      socket,
      ws,
      ticket,
      starts,
      compressed,
      nowMs: clock.monotonicMs(),
    });
    const mayRise = ticket.ceiling !== config.pool;
    connection.standing = new Standing({ history: ticket.history, mayRise, nowMs: clock.monotonicMs() });
    const gaps = starts.flatMap(({ channel, gap }): readonly ControlMessage[] => {
      if (gap === undefined) return [];
      const announced = { type: 'gap', channel, lane: 'critical', after: gap.after } as const;
      return [gap.reset ? { ...announced, reset: true } : announced];
    });
    this.#say(connection, [
      {
        type: 'welcome',
        session,
        pool: config.pool,
        shard: config.shardId,
        tickMs: poolDefaults(config).tickMs,
        channels: ticket.channels,
        resumed:
          position !== undefined && starts.every(({ snapshot, gap }) => !snapshot && gap === undefined),
      },
      ...ticket.denied.map(
        (channel): ControlMessage => ({ type: 'error', code: 'CHANNEL_FORBIDDEN', channel }),
      ),
      ...gaps,
    ]);
    this.#listen(connection, socket);
    this.fanOut.add(connection);
  }

  #listen(connection: Connection, socket: Arrival['socket']): void {
    const { config, clock } = this.#options;
    const { ws } = connection;
    const limits = { perSecond: config.clientMessagesPerSecond, burst: config.clientMessageBurst };
    const rate = new InboundRate(limits, clock.monotonicMs());
    ws.on('pong', (payload) => this.fanOut.pong(connection, payload));
    ws.on('ping', () => {
      if (!rate.take(clock.monotonicMs())) this.#close(connection, 'tooManyMessages');
    });
    ws.on('message', (data, binary) => {
      if (connection.closing) return;
      if (!rate.take(clock.monotonicMs())) this.#close(connection, 'tooManyMessages');
      else if (Buffer.isBuffer(data)) this.#inbound(connection, data, binary);
    });
    ws.once('close', () => this.fanOut.remove(connection));
    socket.once('close', () => this.fanOut.remove(connection));
  }

  #inbound(connection: Connection, data: Buffer, binary: boolean): void {
    const view = { channels: this.fanOut.channelsOf(connection), allow: connection.ticket.allow };
    const judged = judgeInbound(data, binary, view);
    if (judged.act === 'close') return this.#close(connection, 'protocolError', judged.reason);
    this.#say(connection, judged.errors);
    if (judged.act === 'answer' || judged.channels.length === 0) return;
    if (judged.act === 'subscribe') this.fanOut.subscribe(connection, judged.channels);
    else this.fanOut.unsubscribe(connection, judged.channels);
  }

  #say(connection: Connection, messages: readonly ControlMessage[]): void {
    if (messages.length === 0) return;
    this.fanOut.say(connection, Buffer.concat(messages.map((message) => utf8Frame(controlText(message)))));
  }

  /** A pong tells how late a delivery was: whom another pool may suit better is asked to be measured again. */
  #delivered(connection: Connection): void {
    const { metrics, clock } = this.#options;
    const { lagMs } = connection.clock;
    metrics.lag(lagMs);
    const { standing } = connection;
    if (connection.moving || this.#draining || standing === undefined) return;
    const pong = this.#pong;
    pong.lagMs = lagMs;
    pong.writtenBytes = connection.clock.written;
    pong.flowingSinceMs = connection.flowingSinceMs;
    pong.connections = this.fanOut.size;
    pong.nowMs = clock.monotonicMs();
    const judged = this.#reassignment.judge(standing, pong);
    if (judged === undefined) return;
    metrics.judged(judged);
    if (judged.verdict !== 'move') return;
    this.#move(connection, judged.is === 'slow' ? 'tooSlow' : 'promote', REASSIGN_WITHIN_MS).catch(
      (error: unknown) => this.#options.logger.error({ err: error }, 'could not ask a client to move'),
    );
  }

  /** Asks a client to go through the router to another shard; it keeps this connection until it is welcome there. */
  async #move(
    connection: Connection,
    reason: 'drain' | 'tooSlow' | 'promote',
    withinMs: number,
  ): Promise<void> {
    const { config, clock, metrics } = this.#options;
    const [key] = config.ticketKeys;
    if (connection.closing || key === undefined) return;
    const { allow, tls, ceiling } = connection.ticket;
    const history = connection.standing?.history(clock.monotonicMs());
    const hint = await issueHint(
      {
        id: connection.session,
        pool: config.pool,
        allow,
        measure: reason !== 'drain',
        // A shard on which a client was well is a good place to come back to.
        ...(reason === 'promote' ? {} : { avoid: config.shardId }),
        ...(ceiling === undefined ? {} : { ceiling }),
        ...(history === undefined ? {} : { history }),
      },
      { key, nowMs: clock.wallMs(), ttlMs: HINT_TTL_MS },
    );
    if (connection.closing) return;
    const url = moveUrl(secured(config.routerUrl, tls), this.fanOut.channelsOf(connection), hint);
    // Who is asked for its network's sake may stay; a drain asks it once more.
    if (reason === 'drain') connection.moving = true;
    metrics.moved(reason);
    this.#say(connection, [{ type: 'move', url, withinMs, reason }]);
  }

  #close(connection: Connection, cause: CloseCause, reason?: string): void {
    if (connection.closing) return;
    const code = {
      hardBytes: closeCodes.tooSlow,
      lag: closeCodes.noPong,
      tooManyMessages: closeCodes.tooManyMessages,
      protocolError: closeCodes.protocolError,
      drain: closeCodes.restarting,
    }[cause];
    this.#options.metrics.closed(cause);
    connection.closing = true;
    closeGently({
      ws: connection.ws,
      socket: connection.socket,
      code: code.code,
      reason: reason ?? code.reason,
    });
  }
}

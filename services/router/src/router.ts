// The router, stage by stage: accept, probe, classify, place, ticket, redirect. Read this first.
// It wires the stages and owns what a visit of one client is; what each stage does is in its folder.
import type { IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import type { ShardEntry } from '@weir/fleet';
import type { CloseName, Hint } from '@weir/protocol';
import { subprotocol } from '@weir/protocol';
import type { Clock, ConnectionFault, Logger } from '@weir/runtime';
import { everySoOften, refuseSocket, UsedOnce } from '@weir/runtime';
import { WebSocketServer } from 'ws';
import { parseCidr } from './accept/address.ts';
import type { Admission, AdmitOptions } from './accept/admit.ts';
import { admit } from './accept/admit.ts';
import { Client } from './accept/client.ts';
import type { Arrival, LadderOptions } from './accept/ladder.ts';
import { climb, refusePlain } from './accept/ladder.ts';
import type { Listener } from './accept/listener.ts';
import { createListener } from './accept/listener.ts';
import { createRateLimit } from './accept/rate.ts';
import type { Refusal } from './accept/refusal.ts';
import { refusalAnswer } from './accept/refusal.ts';
import { tokenCheck } from './accept/token-check.ts';
import { ceilingOf } from './classify/ceiling.ts';
import { classify } from './classify/classify.ts';
import type { RouterConfig } from './config.ts';
import type { RouterMetrics } from './metrics.ts';
import { choose } from './place/choose.ts';
import type { Probe, ProbeResult } from './probe/probe.ts';
import { createProbe, createProbeBudget, watchLoop } from './probe/probe.ts';
import type { Answer } from './redirect/departures.ts';
import { Departures } from './redirect/departures.ts';
import type { ConnectOutcome } from './redirect/outcome.ts';
import { redirectText } from './redirect/redirect.ts';
import { nextHistory, remeasured } from './ticket/history.ts';
import type { Measurement, Signer, TicketRequest } from './ticket/ticket.ts';
import { createSigner } from './ticket/ticket.ts';

/** Where the shards come from; the beats stage fits. */
export interface Shards {
  entries(): readonly ShardEntry[];
  ticketGiven(shard: string): void;
  readonly stale: boolean;
}

/** What the router is made of. */
export interface RouterOptions {
  readonly config: RouterConfig;
  /** Sockets that the process can hold. */
  readonly roomForClients?: number;
  readonly shards: Shards;
  readonly metrics: RouterMetrics;
  readonly logger: Logger;
  readonly clock: Clock;
  /** 0 ≤ value < 1. */
  readonly random: () => number;
  readonly randomBytes: (bytes: number) => Uint8Array;
}

/** A router that takes clients. */
export interface Router {
  listen(): Promise<AddressInfo>;
  /** Clients between acceptance and answer. */
  readonly pending: number;
  /** Stops accepting, answers who is there, and resolves when they are gone or have had their time. */
  stop(): Promise<void>;
}

const logEveryMs = 5_000;

/** Makes the router; it does not listen yet. */
export function createRouter(o: RouterOptions): Router {
  return new WeirRouter(o);
}

class WeirRouter implements Router {
  readonly #o: RouterOptions;
  readonly #ladder: LadderOptions;
  readonly #admission: AdmitOptions;
  readonly #upgrades: WebSocketServer;
  readonly #listener: Listener;
  readonly #probe: Probe;
  readonly #signer: Signer;
  readonly #usedHints: UsedOnce;
  readonly #visits = new Set<Promise<void>>();
  readonly #departures: Departures;
  readonly #often: ReturnType<typeof everySoOften>;
  #pending = 0;

  constructor(o: RouterOptions) {
    const { config, clock, metrics } = o;
    this.#o = o;
    this.#departures = new Departures(o);
    this.#often = everySoOften(logEveryMs, clock);
    const rate = createRateLimit({
      perSecond: config.connectsPerSecondPerAddress,
      burst: config.connectBurstPerAddress,
      maxNetworks: config.maxAddresses,
      clock,
    });
    this.#ladder = this.#buildLadder(rate);
    this.#usedHints = new UsedOnce(config.maxUsedHints);
    this.#admission = {
      check: tokenCheck(o),
      keys: config.ticketKeys,
      clock,
      isFrom: (hint, network) => this.#signer.isFrom(hint, network),
      useUp: ({ id }, expiresInMs) => this.#usedHints.use(id, clock.monotonicMs(), expiresInMs) === 'first',
    };
    const upgrades = {
      noServer: true,
      clientTracking: false,
      perMessageDeflate: false,
      maxPayload: config.maxClientBytes,
      // Pings are counted before they get there.
      maxPendingAutoPongs: 0,
      handleProtocols: (offered: ReadonlySet<string>) =>
        offered.has(subprotocol.version) && subprotocol.version,
    };
    this.#upgrades = new WebSocketServer(upgrades);
    this.#probe = createProbe({
      limits: {
        deadlineMs: config.probeDeadlineMs,
        maxBytes: config.probeMaxBytes,
        rateThresholdKbps: config.probeRateThresholdKbps,
        rttThresholdMs: config.probeRttThresholdMs,
      },
      budget: createProbeBudget({ bytesPerSecond: config.probeBytesPerSecond, clock }),
      clock,
      random: o.randomBytes,
      watchLoop,
    });
    this.#signer = createSigner({
      keys: config.ticketKeys,
      ticketTtlMs: config.ticketTtlMs,
      hintTtlMs: config.hintTtlMs,
      clock,
      random: o.randomBytes,
    });
    this.#listener = createListener({
      headersTimeoutMs: config.headersTimeoutMs,
      maxSockets: config.maxSockets,
      room: o.roomForClients ?? Number.POSITIVE_INFINITY,
      onPlain: (request) => this.#refused(refusePlain(request, this.#ladder.basePath)),
      onUpgrade: (request, duplex, head) => this.#arrive(request, duplex, head),
      onFault: (fault) => this.#fault(fault),
    });
    metrics.watch({
      pools: config.pools,
      pending: () => this.#pending,
      clients: () => this.#departures.counts,
      sockets: () => this.#listener.sockets,
      networks: () => rate.size,
      usedHints: () => this.#usedHints.size,
      entries: () => o.shards.entries(),
      stale: () => o.shards.stale,
    });
  }

  get pending(): number {
    return this.#pending;
  }

  listen(): Promise<AddressInfo> {
    return this.#listener.listen(this.#o.config.port, this.#o.config.host);
  }

  async stop(): Promise<void> {
    const { probeDeadlineMs, closeWaitMs } = this.#o.config;
    this.#listener.stop();
    let patience: NodeJS.Timeout | undefined;
    const enough = new Promise<void>((resolve) => {
      patience = setTimeout(resolve, probeDeadlineMs + closeWaitMs);
    });
    await Promise.race([Promise.all(this.#visits), enough]);
    clearTimeout(patience);
    this.#departures.stop();
  }

  #buildLadder(rate: LadderOptions['rate']): LadderOptions {
    const { config, random } = this.#o;
    const { publicUrl } = config;
    return {
      basePath: publicUrl === undefined ? '' : new URL(publicUrl).pathname.replace(/\/+$/, ''),
      pools: config.pools,
      origins: { allowed: config.allowedOrigins, required: config.requireOrigin },
      trusted: config.trustedProxies.map(parseCidr),
      rate,
      tlsByDefault: publicUrl?.startsWith('wss:') ?? false,
      hasRoom: () => this.#pending < config.maxPending && this.#listener.hasRoom(),
      random,
    };
  }

  #fault(fault: ConnectionFault): void {
    this.#o.metrics.fault(fault);
    if (fault !== 'tooMany' && fault !== 'acceptFailed') return;
    this.#often((suppressed) => this.#o.logger.warn({ fault, suppressed }, 'connections are refused'));
  }

  #refused(refusal: Refusal): Refusal {
    this.#o.metrics.refusal(refusal.reason);
    return refusal;
  }

  /** An upgrade request: up the ladder, then the visit. */
  #arrive(request: IncomingMessage, duplex: Duplex, head: Buffer): void {
    const verdict = climb(request, this.#ladder);
    const upgrade = (): Client | undefined => this.#upgrade(request, duplex, head);
    if ('refusal' in verdict) {
      this.#track(this.#refuse(verdict.refusal, verdict.version ? upgrade : undefined, duplex));
      return;
    }
    this.#track(this.#visit(verdict.arrival, upgrade, duplex));
  }

  #track(visit: Promise<void>): void {
    const done = visit
      .catch((err: unknown) => {
        this.#often((suppressed) => this.#o.logger.error({ err, suppressed }, 'visit failed'));
      })
      .finally(() => this.#visits.delete(done));
    this.#visits.add(done);
  }

  /** Nothing where the client has already gone. */
  #upgrade(request: IncomingMessage, duplex: Duplex, head: Buffer): Client | undefined {
    let client: Client | undefined;
    this.#upgrades.handleUpgrade(request, duplex, head, (ws) => {
      client = new Client(ws, duplex, this.#o.config);
    });
    this.#departures.upgraded(client);
    return client;
  }

  /** By HTTP, or by a close where the client understands one and this refusal has one. */
  async #refuse(
    refusal: Refusal,
    upgrade: (() => Client | undefined) | undefined,
    duplex: Duplex,
  ): Promise<void> {
    this.#refused(refusal);
    const { close, message } = refusal;
    const client = close === undefined ? undefined : upgrade?.();
    if (close === undefined || client === undefined) return refuseSocket(duplex, refusalAnswer(refusal));
    await this.#departures.end(client, { close, reason: message, outcome: outcomeOf(close) });
  }

  /** One client from acceptance to its end. Never rejects. */
  async #visit(arrival: Arrival, upgrade: () => Client | undefined, duplex: Duplex): Promise<void> {
    let client: Client | undefined;
    this.#pending += 1;
    let ending: Promise<void> | undefined;
    try {
      const admission = await admit(arrival, this.#admission);
      if ('refusal' in admission) {
        ending = this.#refuse(admission.refusal, arrival.version ? upgrade : undefined, duplex);
        return;
      }
      client = upgrade();
      if (client === undefined) return;
      const answer = await this.#answer(client, arrival, admission);
      this.#charge(client, arrival);
      ending = this.#departures.end(client, answer);
    } catch (err) {
      this.#often((suppressed) => this.#o.logger.error({ err, suppressed }, 'visit failed'));
      if (client === undefined) duplex.destroy();
      else ending = this.#departures.end(client, { close: 'noCapacity', outcome: 'failed' });
    } finally {
      this.#pending -= 1;
      await ending;
    }
  }

  /** A client that floods is expensive for its network: it is held off at the first rung when it comes again. */
  #charge({ gone }: Client, { network }: Arrival): void {
    if (gone !== 'tooManyMessages' && gone !== 'protocolError') return;
    this.#ladder.rate.charge(network, this.#o.config.floodConnects - 1);
  }

  /** Measures, classifies, places and signs; says in the end what the client is told. */
  async #answer(client: Client, arrival: Arrival, admission: Admission): Promise<Answer> {
    const { config, shards, metrics, random } = this.#o;
    const { pools } = config;
    // Who cannot be placed anywhere is not measured first.
    const anywhere = choose({ entries: shards.entries(), pools, pool: pools[0] ?? '', random });
    if ('none' in anywhere) return this.#nowhere(anywhere.none);
    const hint = this.#weighHint(admission, arrival.network);
    const {
      avoid,
      measure: unsuited,
      ceiling: before,
    } = admission.hint.is === 'valid' ? admission.hint.hint : {};
    const ceiling = ceilingOf({ ...arrival, before }, pools);
    const probe = await this.#measure(client, ceiling, hint);
    if (client.gone !== undefined) return { close: 'normal', outcome: client.gone };
    const findings = {
      probe,
      pools,
      thresholds: { kbps: config.probeRateThresholdKbps, rttMs: config.probeRttThresholdMs },
      ...(hint === undefined ? {} : { hintPool: hint.pool }),
    };
    const { pool, confidence } = classify(ceiling === undefined ? findings : { ...findings, ceiling });
    metrics.classed(pool, confidence);
    const placed = choose({ entries: shards.entries(), pools, pool, avoid, unsuited, random });
    if ('none' in placed) return this.#nowhere(placed.none);
    metrics.placement(placed.reason);
    shards.ticketGiven(placed.shard.shard);
    const result = remeasured(hint, placed.shard.pool, pools);
    if (result !== undefined) metrics.remeasured(result);
    const measured = probe ?? hint;
    const history = nextHistory(hint, placed.shard.pool);
    const text = redirectText({
      url: placed.shard.url,
      pool: placed.shard.pool,
      ticket: await this.#sign(placed.shard, arrival, admission, { ceiling, history }),
      hint: await this.#newHint(probe, { pool: classify(findings).pool, network: arrival.network, history }),
      tls: arrival.tls,
      rttMs: measured?.rttMs,
      kbps: measured?.kbps,
      confidence,
    });
    if (text === undefined) throw new Error('the redirect is longer than a URL may be');
    return { close: 'redirected', text, outcome: 'redirected' };
  }

  #nowhere(none: 'empty' | 'full' | 'draining' | 'notReady'): Answer {
    this.#o.metrics.placement(none);
    return { close: 'noCapacity', outcome: 'noCapacity' };
  }

  /** The hint, where its measurement or its pool counts for something. */
  #weighHint({ hint: verdict }: Admission, network: string): Hint | undefined {
    const { metrics, config } = this.#o;
    if (verdict.is === 'none') return undefined;
    if (verdict.is !== 'valid') {
      metrics.hint(verdict.is);
      return undefined;
    }
    const { hint } = verdict;
    const usable = config.pools.includes(hint.pool) && this.#signer.isFrom(hint, network);
    metrics.hint(usable ? (hint.measure === true ? 'measureAgain' : 'used') : 'elsewhere');
    return usable ? hint : undefined;
  }

  /** Nothing where the answer would change nothing: a good hint, the slowest class asked for, a single pool. */
  async #measure(
    client: Client,
    ceiling: string | undefined,
    hint: Hint | undefined,
  ): Promise<ProbeResult | undefined> {
    const { metrics, config } = this.#o;
    if (
      ceiling === config.pools[0] ||
      config.pools.length === 1 ||
      (hint !== undefined && hint.measure !== true)
    ) {
      metrics.probe('skipped');
      return undefined;
    }
    const result = await this.#probe.run(client, { padding: true });
    metrics.probe(result.outcome, result);
    return result;
  }

  async #sign(
    { pool, shard, incarnation }: ShardEntry,
    { tls, network }: Arrival,
    { granted: channels, denied, allow, tokenExpiresS }: Admission,
    course: Pick<TicketRequest, 'ceiling' | 'history'>,
  ): Promise<string> {
    const place = { pool, shard, incarnation };
    const client = { channels, denied, allow, tls, network, tokenExpiresS };
    const ticket = await this.#signer.ticket({ ...place, ...client, ...course });
    this.#o.metrics.ticket(pool);
    return ticket;
  }

  /**
   * What was really measured, and clearly, is worth keeping; so is that a client which was moved to and fro belongs
   * into a slower pool, until a shard finds otherwise.
   */
  async #newHint(
    probe: ProbeResult | undefined,
    about: Pick<Measurement, 'pool' | 'network' | 'history'>,
  ): Promise<string | undefined> {
    if (probe?.outcome === 'measured' && probe.confidence !== 'low') {
      return this.#signer.hint({ ...about, rttMs: probe.rttMs, kbps: probe.kbps });
    }
    const restless = about.history !== undefined && about.history.moves > 0;
    if (!restless || about.pool === this.#o.config.pools.at(-1)) return undefined;
    return this.#signer.hint({ ...about, rttMs: undefined, kbps: undefined });
  }
}

function outcomeOf(close: CloseName): ConnectOutcome {
  if (close === 'notAuthorised') return 'notAuthorised';
  if (close === 'ticketRefused') return 'hintExpired';
  return close === 'noCapacity' ? 'noCapacity' : 'protocolError';
}

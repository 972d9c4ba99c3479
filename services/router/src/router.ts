// The router, stage by stage: accept, probe, classify, place, ticket, redirect. Read this first.
// It wires the stages and owns the visit of one client; each stage is in its folder.
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { ShardEntry } from '@weir/fleet';
import type { Hint } from '@weir/protocol';
import type { Clock, ConnectionFault, Health, Logger, Service, ShutdownStep } from '@weir/runtime';
import { logThrottle, refuseSocket, UsedOnce, urlHost } from '@weir/runtime';
import type { WebSocketServer } from 'ws';
import type { Admission, AdmitOptions } from './accept/admit.ts';
import { admit } from './accept/admit.ts';
import { Client, createUpgrades } from './accept/client.ts';
import type { Arrival, LadderOptions } from './accept/ladder.ts';
import { climb, createLadder, refusePlain } from './accept/ladder.ts';
import type { Listener } from './accept/listener.ts';
import { createListener } from './accept/listener.ts';
import { createRateLimit } from './accept/rate.ts';
import type { Refusal } from './accept/refusal.ts';
import { refusalAnswer } from './accept/refusal.ts';
import { tokenCheck } from './accept/token-check.ts';
import { ceilingOf } from './classify/ceiling.ts';
import { classify } from './classify/classify.ts';
import { toldBy } from './classify/told.ts';
import type { RouterConfig } from './config.ts';
import type { RouterMetrics, RouterReadings } from './metrics.ts';
import { choose } from './place/choose.ts';
import type { Probe, ProbeResult } from './probe/probe.ts';
import { createProbe, createProbeBudget, watchLoop } from './probe/probe.ts';
import type { Answer } from './redirect/departures.ts';
import { Departures } from './redirect/departures.ts';
import { outcomeOf } from './redirect/outcome.ts';
import { redirectText } from './redirect/redirect.ts';
import type { Shards } from './shards.ts';
import { findingFor } from './ticket/finding.ts';
import { nextHistory, remeasured } from './ticket/history.ts';
import type { Measurement, Signer, TicketRequest } from './ticket/ticket.ts';
import { createSigner } from './ticket/ticket.ts';

export interface RouterOptions {
  readonly config: RouterConfig;
  /** Sockets that the process can hold. */
  readonly roomForClients?: number;
  readonly shards: Shards;
  readonly link: { readonly connected: boolean };
  readonly metrics: RouterMetrics;
  /** Tells the metrics what a scrape reads; called once. */
  readonly readFrom: (readings: RouterReadings) => void;
  readonly logger: Logger;
  readonly clock: Clock;
  /** 0 ≤ value < 1. */
  readonly random: () => number;
  readonly randomBytes: (bytes: number) => Uint8Array;
  readonly sleep: (ms: number) => Promise<unknown>;
}

/** The router as a service. */
export interface Router extends Service {
  start(): Promise<{ readonly url: string; readonly port: number }>;
  /** Clients between acceptance and answer. */
  readonly pending: number;
}

const logEveryMs = 5_000;

/** Creates the router; it does not listen yet. */
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
  readonly #often: ReturnType<typeof logThrottle>;
  #pending = 0;
  #state: 'new' | 'listening' | 'draining' = 'new';

  constructor(o: RouterOptions) {
    const { config, clock } = o;
    this.#o = o;
    this.#departures = new Departures(o);
    this.#often = logThrottle(logEveryMs, clock);
    const rate = createRateLimit({
      perSecond: config.connectsPerSecondPerAddress,
      burst: config.connectBurstPerAddress,
      maxNetworks: config.maxAddresses,
      clock,
    });
    this.#ladder = createLadder({
      config,
      rate,
      random: o.random,
      hasRoom: () => this.#pending < config.maxPending && this.#listener.hasRoom(),
    });
    this.#usedHints = new UsedOnce(config.maxUsedHints);
    this.#admission = {
      check: tokenCheck(o),
      keys: config.ticketKeys,
      clock,
      isFrom: (hint, network) => this.#signer.isFrom(hint, network),
      useUp: ({ id }, expiresInMs) => this.#usedHints.use(id, clock.monotonicMs(), expiresInMs) === 'first',
    };
    this.#upgrades = createUpgrades(config.maxClientBytes);
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
    o.readFrom({
      pools: config.pools,
      pending: () => this.#pending,
      clients: () => this.#departures.counts,
      sockets: () => this.#listener.sockets,
      networks: () => rate.size,
      usedHints: () => this.#usedHints.size,
      shards: o.shards,
    });
  }

  get pending(): number {
    return this.#pending;
  }

  async start(): Promise<{ readonly url: string; readonly port: number }> {
    const { host } = this.#o.config;
    const { port } = await this.#listener.listen(this.#o.config.port, host);
    this.#state = 'listening';
    return { url: `ws://${urlHost(host)}:${port}`, port };
  }

  health(): Health {
    const { shards, link } = this.#o;
    const reasons = [
      ...(this.#state === 'new' ? ['not listening yet'] : []),
      ...(this.#state === 'draining' ? ['draining'] : []),
      ...(shards.settled ? [] : ['has not heard the shards yet']),
    ];
    const entries = shards.entries();
    const readyShards = entries.filter((shard) => shard.ready && !shard.draining).length;
    const info = { shards: entries.length, readyShards, stale: shards.stale, nats: link.connected };
    return { ready: reasons.length === 0, reasons, info };
  }

  get stops(): readonly ShutdownStep[] {
    return [
      { name: 'drain', run: () => this.#drain() },
      { name: 'answer the clients that are here', run: () => this.#stop() },
      { name: 'stop hearing the shards', run: () => this.#o.shards.stop() },
    ];
  }

  /** Is no longer ready, but still accepts clients until load balancers have noticed. */
  async #drain(): Promise<void> {
    this.#state = 'draining';
    await this.#o.sleep(this.#o.config.drainGraceMs);
  }

  /** Stops accepting and answers the clients; resolves when they are gone or their time is over. */
  async #stop(): Promise<void> {
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

  #fault(fault: ConnectionFault): void {
    this.#o.metrics.faults.inc({ reason: fault });
    if (fault !== 'tooMany' && fault !== 'acceptFailed') return;
    this.#often((suppressed) => this.#o.logger.warn({ fault, suppressed }, 'connections are refused'));
  }

  #refused(refusal: Refusal): Refusal {
    this.#o.metrics.refusals.inc({ reason: refusal.reason });
    return refusal;
  }

  /** Handles an upgrade request: first the ladder, then the visit. */
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

  /** Undefined if the client has already gone. */
  #upgrade(request: IncomingMessage, duplex: Duplex, head: Buffer): Client | undefined {
    let client: Client | undefined;
    this.#upgrades.handleUpgrade(request, duplex, head, (ws) => {
      client = new Client(ws, duplex, this.#o.config);
    });
    this.#departures.upgraded(client);
    return client;
  }

  /** Refuses by a close code if the client understands one and this refusal has one, else by HTTP. */
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

  /** The visit of one client, from acceptance to its end. Never rejects. */
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

  /** A client that floods costs its network many connects, so the rate limit refuses it when it reconnects. */
  #charge({ gone }: Client, { network }: Arrival): void {
    if (gone !== 'tooManyMessages' && gone !== 'protocolError') return;
    this.#ladder.rate.charge(network, this.#o.config.floodConnects - 1);
  }

  /** Measures, classifies, places and signs; returns the answer for the client. */
  async #answer(client: Client, arrival: Arrival, admission: Admission): Promise<Answer> {
    const { config, shards, metrics, random } = this.#o;
    const { pools } = config;
    // A client that cannot be placed anywhere is not measured.
    const anywhere = choose({ entries: shards.entries(), pools, pool: pools[0] ?? '', random });
    if ('none' in anywhere) return this.#nowhere(anywhere.none);
    const hint = this.#weighHint(admission, arrival.network);
    const { avoid, measure, ceiling: before } = admission.hint.is === 'valid' ? admission.hint.hint : {};
    const ceiling = ceilingOf({ ...arrival, before }, pools);
    const probe = await this.#measure(client, ceiling, hint);
    if (client.gone !== undefined) return { close: 'normal', outcome: client.gone };
    const thresholds = { kbps: config.probeRateThresholdKbps, rttMs: config.probeRttThresholdMs };
    const findings = { probe, pools, thresholds, ...(hint === undefined ? {} : { hintPool: hint.pool }) };
    const measuredAs = classify(findings);
    const { pool, confidence } = classify(ceiling === undefined ? findings : { ...findings, ceiling });
    metrics.classes.inc({ pool, confidence });
    // What a second look finds is a question to this router. If the answer is no, the pool suits the client after all.
    const isDenied = hint?.finding !== undefined && hint.pool === pool;
    const unsuited = measure === true && !isDenied;
    const placed = choose({ entries: shards.entries(), pools, pool, avoid, unsuited, random });
    if ('none' in placed) return this.#nowhere(placed.none);
    metrics.placements.inc({ reason: placed.reason });
    shards.ticketGiven(placed.shard.shard);
    metrics.decided({ pool, placed: placed.shard.pool, confidence, probe, hint });
    const result = remeasured(hint, placed.shard.pool, pools);
    if (result !== undefined) metrics.remeasured.inc({ result });
    const measured = probe ?? hint;
    const history = nextHistory(hint, placed.shard.pool);
    const finding = findingFor({ ...findings, ...measuredAs, hint, ceiling });
    const text = redirectText({
      url: placed.shard.url,
      pool: placed.shard.pool,
      ticket: await this.#sign(placed.shard, arrival, admission, { ceiling, history, finding }),
      hint: await this.#newHint(probe, { pool: measuredAs.pool, network: arrival.network, history }),
      tls: arrival.tls,
      rttMs: measured?.rttMs,
      kbps: measured?.kbps,
      confidence,
    });
    if (text === undefined) throw new Error('the redirect is longer than a URL may be');
    return { close: 'redirected', text, outcome: 'redirected' };
  }

  #nowhere(none: 'empty' | 'full' | 'draining' | 'notReady'): Answer {
    this.#o.metrics.placements.inc({ reason: none });
    return { close: 'noCapacity', outcome: 'noCapacity' };
  }

  /** The hint, if its measurement or its pool is usable. */
  #weighHint({ hint: verdict }: Admission, network: string): Hint | undefined {
    const { metrics, config } = this.#o;
    if (verdict.is === 'none') return undefined;
    if (verdict.is !== 'valid') {
      metrics.hints.inc({ outcome: verdict.is });
      return undefined;
    }
    const { hint } = verdict;
    const usable = config.pools.includes(hint.pool) && this.#signer.isFrom(hint, network);
    const outcome = usable ? (hint.measure === true ? 'measureAgain' : 'used') : 'elsewhere';
    metrics.hints.inc({ outcome });
    return usable ? hint : undefined;
  }

  /** Undefined if a measurement would change nothing: a good hint, a request for the slowest class, a single pool. */
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
      metrics.probes.inc({ outcome: 'skipped' });
      return undefined;
    }
    const told = toldBy(hint);
    const result = told ?? (await this.#probe.run(client, { padding: true }));
    metrics.probed(result);
    return result;
  }

  async #sign(
    { pool, shard, incarnation }: ShardEntry,
    { tls, network }: Arrival,
    { granted: channels, denied, allow, tokenExpiresS }: Admission,
    course: Pick<TicketRequest, 'ceiling' | 'finding' | 'history'>,
  ): Promise<string> {
    const place = { pool, shard, incarnation };
    const client = { channels, denied, allow, tls, network, tokenExpiresS };
    const ticket = await this.#signer.ticket({ ...place, ...client, ...course });
    this.#o.metrics.tickets.inc({ pool });
    return ticket;
  }

  /**
   * A hint keeps a clear measurement. It also keeps the slower pool of a client that was moved back and forth, until a
   * shard decides otherwise.
   */
  async #newHint(
    probe: ProbeResult | undefined,
    about: Pick<Measurement, 'pool' | 'network' | 'history'>,
  ): Promise<string | undefined> {
    if ((probe?.outcome === 'measured' || probe?.outcome === 'told') && probe.confidence !== 'low') {
      return this.#signer.hint({ ...about, rttMs: probe.rttMs, kbps: probe.kbps });
    }
    const restless = about.history !== undefined && about.history.moves > 0;
    if (!restless || about.pool === this.#o.config.pools.at(-1)) return undefined;
    return this.#signer.hint({ ...about, rttMs: undefined, kbps: undefined });
  }
}

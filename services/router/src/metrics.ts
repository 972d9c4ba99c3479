// The router's metrics: one table (docs/metrics.md is checked against it) and what feeds it. Labels are closed unions
// or names of configured pools; never an address, an origin, a channel or anything else that a client chose.
import type { BeatOutcome, ShardEntry } from '@weir/fleet';
import type { Confidence } from '@weir/protocol';
import type { ConnectionFault, Ending, Registry } from '@weir/runtime';
import { CONNECTION_FAULTS, ENDINGS } from '@weir/runtime';
import { Counter, Gauge, Histogram } from 'prom-client';
import type { KeyFetchOutcome, KeyOutcome } from './accept/key-set.ts';
import type { RefusalReason } from './accept/refusal.ts';
import { REFUSAL_REASONS } from './accept/refusal.ts';
import type { ProbeResult } from './probe/probe.ts';
import type { ConnectOutcome } from './redirect/outcome.ts';
import { CONNECT_OUTCOMES } from './redirect/outcome.ts';

/** What became of a client's measurement; `skipped` where a hint or the class asked for made it needless. */
export type ProbeOutcome = ProbeResult['outcome'] | 'skipped';
const PROBE_OUTCOMES: readonly ProbeOutcome[] = [
  'measured',
  'silent',
  'closed',
  'closedOnPad',
  'noBudget',
  'skipped',
];

/** What became of a hint. */
const HINT_OUTCOMES = ['used', 'measureAgain', 'elsewhere', 'expired', 'refused'] as const;
export type HintOutcome = (typeof HINT_OUTCOMES)[number];

/** What became of the keys of user tokens. */
const KEY_OUTCOMES: readonly KeyOutcome[] = ['found', 'unknown', 'stale', 'unavailable'];
const KEY_FETCH_OUTCOMES: readonly KeyFetchOutcome[] = ['fetched', 'failed'];
/** What became of the load reports of shards. */
const BEAT_OUTCOMES: readonly BeatOutcome[] = ['known', 'new', 'taken', 'full', 'invalid'];

/** Where a client went that a shard had asked to be measured again. */
const REMEASURED = ['faster', 'slower', 'same'] as const;

/** Why a client was placed where it is, or nowhere. */
const PLACEMENT_REASONS = ['best', 'otherPool', 'stale', 'empty', 'full', 'draining', 'notReady'] as const;
export type PlacementReason = (typeof PLACEMENT_REASONS)[number];

type CounterKey =
  | 'upgrades'
  | 'connects'
  | 'refusals'
  | 'faults'
  | 'probes'
  | 'probeBytes'
  | 'classes'
  | 'placements'
  | 'tickets'
  | 'hints'
  | 'remeasured'
  | 'endings'
  | 'tokenKeys'
  | 'keyFetches'
  | 'beats'
  | 'endpointProblems';
type GaugeKey =
  | 'openClients'
  | 'closingClients'
  | 'pending'
  | 'sockets'
  | 'networks'
  | 'usedHints'
  | 'rosterStale'
  | 'skew'
  | 'endpointAge';

/** One series. */
export interface MetricRow {
  readonly kind: 'counter' | 'gauge' | 'histogram';
  readonly name: string;
  readonly help: string;
  readonly labels?: readonly string[];
  readonly buckets?: readonly number[];
}

/** Every series of the router. */
export const metricsTable: Readonly<Record<CounterKey | GaugeKey | 'probeSeconds' | 'shards', MetricRow>> = {
  upgrades: {
    kind: 'counter',
    name: 'weir_router_upgrades_total',
    help: 'Clients that were upgraded',
  },
  connects: {
    kind: 'counter',
    name: 'weir_router_connects_total',
    help: 'Clients that were upgraded, each once, by what became of them',
    labels: ['outcome'],
  },
  refusals: {
    kind: 'counter',
    name: 'weir_router_refusals_total',
    help: 'Requests that were refused, by the rung of the ladder',
    labels: ['reason'],
  },
  faults: {
    kind: 'counter',
    name: 'weir_router_connection_faults_total',
    help: 'Connections that never became a request: too slow, too large, malformed, or over the limit of sockets',
    labels: ['reason'],
  },
  probes: {
    kind: 'counter',
    name: 'weir_router_probes_total',
    help: 'Measurements by outcome; closedOnPad: the client left right after a pad, it may want class=<slowest pool>',
    labels: ['outcome'],
  },
  probeSeconds: {
    kind: 'histogram',
    name: 'weir_router_probe_duration_seconds',
    help: 'Time from the upgrade to the end of the measurement',
    buckets: [0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1, 1.25, 1.5, 2],
  },
  probeBytes: {
    kind: 'counter',
    name: 'weir_router_probe_bytes_total',
    help: 'Bytes that were written to measure clients',
  },
  classes: {
    kind: 'counter',
    name: 'weir_router_classes_total',
    help: 'Clients by the pool that suits them and by how sure that is',
    labels: ['pool', 'confidence'],
  },
  placements: {
    kind: 'counter',
    name: 'weir_router_placements_total',
    help: 'Searches for a shard by result; empty, full, draining and notReady found none',
    labels: ['reason'],
  },
  tickets: {
    kind: 'counter',
    name: 'weir_router_tickets_total',
    help: 'Tickets that were given',
    labels: ['pool'],
  },
  hints: {
    kind: 'counter',
    name: 'weir_router_hints_total',
    help: 'Hints that clients came with, by what became of them; elsewhere: measured from another network',
    labels: ['outcome'],
  },
  remeasured: {
    kind: 'counter',
    name: 'weir_router_remeasured_total',
    help: 'Clients that a shard had measured again, by the pool they went to: faster, slower, the same',
    labels: ['result'],
  },
  endings: {
    kind: 'counter',
    name: 'weir_router_endings_total',
    help: 'Upgraded clients whose socket is gone, each once: the client left, it answered the Close, it took the end of the stream, it was cut, or it flooded and was not read any more',
    labels: ['how'],
  },
  keyFetches: {
    kind: 'counter',
    name: 'weir_router_key_fetches_total',
    help: 'Requests for the key set of user tokens, by how they ended',
    labels: ['outcome'],
  },
  tokenKeys: {
    kind: 'counter',
    name: 'weir_router_token_keys_total',
    help: 'Keys of user tokens that were looked for in the key set, by result',
    labels: ['outcome'],
  },
  beats: {
    kind: 'counter',
    name: 'weir_router_beats_total',
    help: 'Load reports of shards by what became of them; full: more shards than are remembered',
    labels: ['outcome'],
  },
  endpointProblems: {
    kind: 'counter',
    name: 'weir_router_endpoint_problems_total',
    help: 'Requests to the API server for the endpoints of the shards that failed',
  },
  pending: {
    kind: 'gauge',
    name: 'weir_router_pending_clients',
    help: 'Clients between acceptance and answer',
  },
  sockets: {
    kind: 'gauge',
    name: 'weir_router_open_sockets',
    help: 'Open sockets of clients',
  },
  openClients: {
    kind: 'gauge',
    name: 'weir_router_open_clients',
    help: 'Upgraded clients of which it is not decided yet what becomes of them',
  },
  closingClients: {
    kind: 'gauge',
    name: 'weir_router_closing_clients',
    help: 'Upgraded clients that were told what becomes of them and whose socket is not gone yet',
  },
  usedHints: {
    kind: 'gauge',
    name: 'weir_router_used_hints',
    help: 'Hints of moves that are remembered as used instead of a token',
  },
  networks: {
    kind: 'gauge',
    name: 'weir_router_rate_limit_networks',
    help: 'Addresses that the rate limit remembers',
  },
  shards: {
    kind: 'gauge',
    name: 'weir_router_roster_shards',
    help: 'Live shards by pool and state',
    labels: ['pool', 'state'],
  },
  rosterStale: {
    kind: 'gauge',
    name: 'weir_router_roster_stale',
    help: 'Whether the table of shards is the last known one because NATS is not heard (1)',
  },
  skew: {
    kind: 'gauge',
    name: 'weir_router_beat_clock_skew_seconds',
    help: "Largest difference between a shard's clock and ours; beyond 5 s tickets are refused",
  },
  endpointAge: {
    kind: 'gauge',
    name: 'weir_router_endpoint_view_age_seconds',
    help: 'Since when nothing proved that the view of the endpoints is right; -1 before the first and without Kubernetes',
  },
};

/** What gauges ask when they are scraped. */
export interface MetricSources {
  readonly pools: readonly string[];
  readonly pending: () => number;
  readonly clients: () => Readonly<Record<'open' | 'closing', number>>;
  readonly sockets: () => number;
  readonly networks: () => number;
  readonly usedHints: () => number;
  readonly entries: () => readonly ShardEntry[];
  readonly stale: () => boolean;
}

/** What the router reports. */
export interface RouterMetrics {
  upgrade(): void;
  connect(outcome: ConnectOutcome): void;
  refusal(reason: RefusalReason): void;
  fault(reason: ConnectionFault): void;
  probe(outcome: ProbeOutcome, result?: Pick<ProbeResult, 'tookMs' | 'bytes'>): void;
  classed(pool: string, confidence: Confidence): void;
  placement(reason: PlacementReason): void;
  ticket(pool: string): void;
  hint(outcome: HintOutcome): void;
  remeasured(result: (typeof REMEASURED)[number]): void;
  ending(how: Ending): void;
  tokenKey(outcome: KeyOutcome): void;
  keyFetch(outcome: KeyFetchOutcome): void;
  beat(outcome: BeatOutcome): void;
  endpointProblem(): void;
  /** Tells the gauges where to look; once. */
  watch(sources: MetricSources): void;
  /** Tells the age of the endpoints in milliseconds, infinite where there is no view; once. */
  watchEndpoints(ageMs: () => number): void;
}

/** Registers everything. */
export function createRouterMetrics(registry: Registry): RouterMetrics {
  const registers = [registry];
  const counter = (key: CounterKey): Counter<string> => {
    const { name, help, labels = [] } = metricsTable[key];
    return new Counter({ name, help, labelNames: [...labels], registers });
  };
  const { name, help, buckets = [] } = metricsTable.probeSeconds;
  const probeSeconds = new Histogram({ name, help, buckets: [...buckets], registers });
  const upgrades = counter('upgrades');
  const connects = counter('connects');
  const refusals = counter('refusals');
  const faults = counter('faults');
  const probes = counter('probes');
  const probeBytes = counter('probeBytes');
  const classes = counter('classes');
  const placements = counter('placements');
  const tickets = counter('tickets');
  const hints = counter('hints');
  const again = counter('remeasured');
  const endings = counter('endings');
  const tokenKeys = counter('tokenKeys');
  const keyFetches = counter('keyFetches');
  const beats = counter('beats');
  const endpointProblems = counter('endpointProblems');
  // A series that is there from the start: a first refusal is then a rise that `rate()` sees.
  for (const outcome of CONNECT_OUTCOMES) connects.inc({ outcome }, 0);
  for (const reason of REFUSAL_REASONS) refusals.inc({ reason }, 0);
  for (const outcome of PROBE_OUTCOMES) probes.inc({ outcome }, 0);
  for (const outcome of HINT_OUTCOMES) hints.inc({ outcome }, 0);
  for (const result of REMEASURED) again.inc({ result }, 0);
  for (const reason of PLACEMENT_REASONS) placements.inc({ reason }, 0);
  for (const reason of CONNECTION_FAULTS) faults.inc({ reason }, 0);
  for (const how of ENDINGS) endings.inc({ how }, 0);
  for (const outcome of KEY_OUTCOMES) tokenKeys.inc({ outcome }, 0);
  for (const outcome of KEY_FETCH_OUTCOMES) keyFetches.inc({ outcome }, 0);
  for (const outcome of BEAT_OUTCOMES) beats.inc({ outcome }, 0);
  return {
    upgrade: () => upgrades.inc(),
    connect: (outcome) => connects.inc({ outcome }),
    refusal: (reason) => refusals.inc({ reason }),
    fault: (reason) => faults.inc({ reason }),
    probe(outcome, result) {
      probes.inc({ outcome });
      if (result === undefined) return;
      probeSeconds.observe(result.tookMs / 1000);
      probeBytes.inc(result.bytes);
    },
    classed: (pool, confidence) => classes.inc({ pool, confidence }),
    placement: (reason) => placements.inc({ reason }),
    ticket: (pool) => tickets.inc({ pool }),
    hint: (outcome) => hints.inc({ outcome }),
    remeasured: (result) => again.inc({ result }),
    ending: (how) => endings.inc({ how }),
    tokenKey: (outcome) => tokenKeys.inc({ outcome }),
    keyFetch: (outcome) => keyFetches.inc({ outcome }),
    beat: (outcome) => beats.inc({ outcome }),
    endpointProblem: () => endpointProblems.inc(),
    watch: (sources) => watchGauges(registry, sources),
    watchEndpoints: (ageMs) => watchEndpointAge(registry, ageMs),
  };
}

function watchEndpointAge(registry: Registry, ageMs: () => number): void {
  const { name, help } = metricsTable.endpointAge;
  new Gauge({
    name,
    help,
    registers: [registry],
    collect() {
      this.set(Number.isFinite(ageMs()) ? ageMs() / 1000 : -1);
    },
  });
}

function watchGauges(registry: Registry, sources: MetricSources): void {
  const gauge = (key: Exclude<GaugeKey, 'endpointAge'>, read: () => number): void => {
    const { name, help } = metricsTable[key];
    new Gauge({
      name,
      help,
      registers: [registry],
      collect() {
        this.set(read());
      },
    });
  };
  gauge('pending', sources.pending);
  gauge('sockets', sources.sockets);
  gauge('networks', sources.networks);
  gauge('usedHints', sources.usedHints);
  gauge('rosterStale', () => (sources.stale() ? 1 : 0));
  gauge('skew', () => largestSkewMs(sources.entries()) / 1000);
  gauge('openClients', () => sources.clients().open);
  gauge('closingClients', () => sources.clients().closing);
  const { name, help, labels = [] } = metricsTable.shards;
  new Gauge({
    name,
    help,
    labelNames: [...labels],
    registers: [registry],
    collect() {
      this.reset();
      for (const pool of [...sources.pools, 'other']) {
        for (const state of SHARD_STATES) this.set({ pool, state }, 0);
      }
      for (const entry of sources.entries()) {
        const pool = sources.pools.includes(entry.pool) ? entry.pool : 'other';
        this.inc({ pool, state: shardState(entry) });
      }
    },
  });
}

const SHARD_STATES = ['serving', 'stale', 'full', 'draining', 'notReady'] as const;

function shardState(entry: ShardEntry): (typeof SHARD_STATES)[number] {
  if (entry.draining) return 'draining';
  if (!entry.ready) return 'notReady';
  if (entry.connections + entry.ticketsSinceBeat >= entry.capacity) return 'full';
  return entry.stale ? 'stale' : 'serving';
}

/** The difference of the clocks that is furthest from none, with its sign. */
export function largestSkewMs(entries: readonly ShardEntry[]): number {
  return entries.reduce((most, { skewMs }) => (Math.abs(skewMs) > Math.abs(most) ? skewMs : most), 0);
}

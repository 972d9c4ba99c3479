// Every metric of the router, as one table. Label values are closed lists or names of configured pools; never an address,
// an origin, a channel or anything else that a client chose.
import type { ShardEntry } from '@weir/fleet';
import { BEAT_OUTCOMES } from '@weir/fleet';
import type { Confidence } from '@weir/protocol';
import type { Metrics, Registry, Sample } from '@weir/runtime';
import { CONNECTION_FAULTS, defineMetrics, ENDINGS, NAMES, registerMetrics } from '@weir/runtime';
import type { KeyFetchOutcome, KeyOutcome } from './accept/key-set.ts';
import { REFUSAL_REASONS } from './accept/refusal.ts';
import type { ProbeResult } from './probe/probe.ts';
import { CONNECT_OUTCOMES } from './redirect/outcome.ts';
import type { Outcome } from './report/decisions.ts';
import type { Shards } from './shards.ts';

/** The outcome of a measurement; `skipped` if a hint or the requested class made it unnecessary. */
export type ProbeOutcome = ProbeResult['outcome'] | 'skipped';
const PROBE_OUTCOMES: readonly ProbeOutcome[] = [
  'measured',
  'silent',
  'closed',
  'closedOnPad',
  'noBudget',
  'told',
  'skipped',
];

/** The outcome of a hint. */
const HINT_OUTCOMES = ['used', 'measureAgain', 'elsewhere', 'expired', 'refused'] as const;

/** The outcomes of look-ups and requests of keys of user tokens. */
const KEY_OUTCOMES: readonly KeyOutcome[] = ['found', 'unknown', 'stale', 'unavailable'];
const KEY_FETCH_OUTCOMES: readonly KeyFetchOutcome[] = ['fetched', 'failed'];

/** The pool of a client that a shard sent to be measured again, compared to its old pool. */
const REMEASURED = ['faster', 'slower', 'same'] as const;

/** Why a client was placed at its shard, or at none. */
const PLACEMENT_REASONS = ['best', 'otherPool', 'stale', 'empty', 'full', 'draining', 'notReady'] as const;

const CONFIDENCES: readonly Confidence[] = ['high', 'medium', 'low'];
const SHARD_STATES = ['serving', 'stale', 'full', 'draining', 'notReady'] as const;

/** What gauges read at a scrape. */
export interface RouterReadings {
  readonly pools: readonly string[];
  readonly pending: () => number;
  readonly clients: () => Readonly<Record<'open' | 'closing', number>>;
  readonly sockets: () => number;
  readonly networks: () => number;
  readonly usedHints: () => number;
  readonly shards: Pick<Shards, 'entries' | 'stale' | 'endpointAgeMs'>;
}

export const routerMetrics = defineMetrics<RouterReadings>()({
  upgrades: {
    kind: 'counter',
    name: 'weir_router_upgrades_total',
    help: 'Clients that were upgraded',
    advice: 'The rate of new clients',
  },
  connects: {
    kind: 'counter',
    name: 'weir_router_connects_total',
    help: 'Upgraded clients, each once, by outcome',
    advice: '`noCapacity`: add shards. `failed` is a bug of Weir. `left`: clients that give up first',
    labels: { outcome: CONNECT_OUTCOMES },
  },
  refusals: {
    kind: 'counter',
    name: 'weir_router_refusals_total',
    help: 'Refused requests, by the check that refused them',
    advice:
      '`rate`: an attack, or an office behind one address. `room`: more routers. `origin`: a page that is not on the list. `token`: the issuer or a clock. `keys`: the key set cannot be fetched',
    labels: { reason: REFUSAL_REASONS },
  },
  faults: {
    kind: 'counter',
    name: 'weir_router_connection_faults_total',
    help: 'Connections that never became a request: too slow, too large, malformed, or over the limit of sockets',
    advice:
      'A rise of `tooMany` or `timeout`: a client holds sockets open, or a load balancer probes with bare TCP',
    labels: { reason: CONNECTION_FAULTS },
  },
  probes: {
    kind: 'counter',
    name: 'weir_router_probes_total',
    help: 'Measurements by outcome; closedOnPad: the client left right after a pad, it may want class=<slowest pool>; told: a shard had measured',
    advice:
      '`noBudget`: a reconnect storm, or WEIR_PROBE_BYTES_PER_SECOND is too small. `silent`: a proxy on the path answers no pings. `closedOnPad`: a client that cannot take the pad',
    labels: { outcome: PROBE_OUTCOMES },
  },
  probeSeconds: {
    kind: 'histogram',
    name: 'weir_router_probe_duration_seconds',
    help: 'Time from the upgrade to the end of the measurement',
    buckets: [0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1, 1.25, 1.5, 2],
    advice:
      'The median is the usual RTT, twice to five times; most of it at 1.5 s means that clients do not answer',
  },
  probeBytes: {
    kind: 'counter',
    name: 'weir_router_probe_bytes_total',
    help: 'Bytes written to measure clients',
    advice: 'Its rate against WEIR_PROBE_BYTES_PER_SECOND',
  },
  classes: {
    kind: 'counter',
    name: 'weir_router_classes_total',
    help: 'Measured clients by pool and confidence',
    advice: 'A jump of one pool, or many `low`: a network changed, or the router lacks CPU',
    labels: { pool: NAMES, confidence: CONFIDENCES },
  },
  placements: {
    kind: 'counter',
    name: 'weir_router_placements_total',
    help: 'Searches for a shard by result; empty, full, draining and notReady found none',
    advice:
      '`empty`, `full`, `notReady`: no client can be placed. `otherPool`: a pool is full or has no shard. `stale`: the shards have no connection to NATS',
    labels: { reason: PLACEMENT_REASONS },
  },
  tickets: {
    kind: 'counter',
    name: 'weir_router_tickets_total',
    help: 'Issued tickets',
    advice: 'The shares of the pools among new clients',
    labels: { pool: NAMES },
  },
  hints: {
    kind: 'counter',
    name: 'weir_router_hints_total',
    help: 'Hints of clients by outcome; elsewhere: the hint is from another network',
    advice:
      '`refused`: keys differ between services, or forgeries. `elsewhere`: a client changed its network',
    labels: { outcome: HINT_OUTCOMES },
  },
  remeasured: {
    kind: 'counter',
    name: 'weir_router_remeasured_total',
    help: 'Clients that a shard sent to be measured again, by their new pool: faster, slower, the same',
    advice:
      'Many `same`: shards move clients whose pool suits them; look at the delivery lag, at WEIR_DEMOTION_LAG_MS and at WEIR_PROMOTION_LAG_MS',
    labels: { result: REMEASURED },
  },
  endings: {
    kind: 'counter',
    name: 'weir_router_endings_total',
    help: 'Upgraded clients whose socket is gone, each once: the client left, answered the Close, closed after our FIN, was cut, or flooded and was no longer read',
    advice: '`cut`: clients do not answer a Close; many of them hold sockets for WEIR_CLOSE_WAIT_MS',
    labels: { how: ENDINGS },
  },
  keyFetches: {
    kind: 'counter',
    name: 'weir_router_key_fetches_total',
    help: 'Requests for the key set of user tokens, by outcome',
    advice: '`failed`: WEIR_JWT_JWKS_URL does not answer in time with a key set',
    labels: { outcome: KEY_FETCH_OUTCOMES },
  },
  tokenKeys: {
    kind: 'counter',
    name: 'weir_router_token_keys_total',
    help: 'Look-ups of keys of user tokens in the key set, by outcome',
    advice: '`unavailable` or `stale`: the key set cannot be fetched. `unknown`: tokens of a foreign issuer',
    labels: { outcome: KEY_OUTCOMES },
  },
  beats: {
    kind: 'counter',
    name: 'weir_router_beats_total',
    help: 'Beats of shards by outcome; full: more shards than the table may hold',
    advice:
      '`invalid`: another version, or a foreign publisher on the subject. `full`: more shards than WEIR_MAX_SHARDS',
    labels: { outcome: BEAT_OUTCOMES },
  },
  endpointProblems: {
    kind: 'counter',
    name: 'weir_router_endpoint_problems_total',
    help: 'Failed requests to the API server for the endpoints of the shards',
    advice: 'A steady rate: the API server, or the right to list and watch EndpointSlices',
  },
  pending: {
    kind: 'gauge',
    name: 'weir_router_pending_clients',
    help: 'Clients between acceptance and answer',
    advice: 'Against WEIR_MAX_PENDING; beyond it clients are refused',
    read: ({ pending }) => pending(),
  },
  sockets: {
    kind: 'gauge',
    name: 'weir_router_open_sockets',
    help: 'Open sockets of clients',
    advice: 'Against WEIR_MAX_SOCKETS',
    read: ({ sockets }) => sockets(),
  },
  openClients: {
    kind: 'gauge',
    name: 'weir_router_open_clients',
    help: 'Upgraded clients without an answer yet',
    advice: 'Grows with the time that the probe takes',
    read: ({ clients }) => clients().open,
  },
  closingClients: {
    kind: 'gauge',
    name: 'weir_router_closing_clients',
    help: 'Upgraded clients with an answer whose socket is still open',
    advice: 'Many for long: clients do not answer a Close, see `weir_router_endings_total`',
    read: ({ clients }) => clients().closing,
  },
  usedHints: {
    kind: 'gauge',
    name: 'weir_router_used_hints',
    help: 'Used hints of moves that the router remembers',
    advice: 'At WEIR_MAX_USED_HINTS moved clients need their token',
    read: ({ usedHints }) => usedHints(),
  },
  networks: {
    kind: 'gauge',
    name: 'weir_router_rate_limit_networks',
    help: 'Addresses that the rate limit remembers',
    advice: 'At WEIR_MAX_ADDRESSES the least recent is forgotten',
    read: ({ networks }) => networks(),
  },
  shards: {
    kind: 'gauge',
    name: 'weir_router_roster_shards',
    help: 'Live shards by pool and state',
    advice: 'No `serving` shard in a pool; `full` before the autoscaler acts',
    labels: { pool: NAMES, state: SHARD_STATES },
    read: rosterOf,
  },
  rosterStale: {
    kind: 'gauge',
    name: 'weir_router_roster_stale',
    help: '1 while the router hears no NATS and uses the last known table of shards',
    advice: '1: the router hears no shard and sends clients to the shards that it knew last',
    read: ({ shards }) => (shards.stale ? 1 : 0),
  },
  skew: {
    kind: 'gauge',
    name: 'weir_router_beat_clock_skew_seconds',
    help: "Largest difference between a shard's clock and ours; beyond 5 s tickets are refused",
    advice: 'Beyond 5 s tickets are refused: fix the clocks',
    read: ({ shards }) => largestSkewMs(shards.entries()) / 1000,
  },
  endpointAge: {
    kind: 'gauge',
    name: 'weir_router_endpoint_view_age_seconds',
    help: 'Time since the view of the endpoints was last confirmed; -1 before the first view and without Kubernetes',
    advice: 'Over 60 s the router ignores the view, and beats decide alone',
    read: ({ shards }) => (Number.isFinite(shards.endpointAgeMs) ? shards.endpointAgeMs / 1000 : -1),
  },
});

/** What the stages write to. */
export interface RouterMetrics extends Metrics<typeof routerMetrics> {
  /** Counts one measurement and what it cost. */
  probed(result: ProbeResult): void;
  /** Notes for the console where one client was sent, and why. */
  decided(outcome: Outcome): void;
}

export function createRouterMetrics(
  registry: Registry,
  decisions?: { note(outcome: Outcome): void },
): {
  readonly metrics: RouterMetrics;
  readonly readFrom: (readings: RouterReadings) => void;
} {
  const { metrics, readFrom } = registerMetrics(registry, routerMetrics);
  const probed = ({ outcome, tookMs, bytes }: ProbeResult): void => {
    metrics.probes.inc({ outcome });
    if (outcome === 'told') return;
    metrics.probeSeconds.observe(tookMs / 1000);
    metrics.probeBytes.inc(bytes);
  };
  const decided = (outcome: Outcome): void => decisions?.note(outcome);
  return { metrics: { ...metrics, probed, decided }, readFrom };
}

function rosterOf({ pools, shards }: RouterReadings): readonly Sample[] {
  const names = [...pools, 'other'];
  const counts = new Map(
    names.flatMap((pool) => SHARD_STATES.map((state) => [`${pool} ${state}`, { pool, state, count: 0 }])),
  );
  for (const entry of shards.entries()) {
    const pool = pools.includes(entry.pool) ? entry.pool : 'other';
    const place = counts.get(`${pool} ${shardState(entry)}`);
    if (place !== undefined) place.count++;
  }
  return [...counts.values()].map(({ pool, state, count }) => [{ pool, state }, count]);
}

function shardState(entry: ShardEntry): (typeof SHARD_STATES)[number] {
  if (entry.draining) return 'draining';
  if (!entry.ready) return 'notReady';
  if (entry.connections + entry.ticketsSinceBeat >= entry.capacity) return 'full';
  return entry.stale ? 'stale' : 'serving';
}

/** The largest difference of the clocks, with its sign. */
export function largestSkewMs(entries: readonly ShardEntry[]): number {
  return entries.reduce((most, { skewMs }) => (Math.abs(skewMs) > Math.abs(most) ? skewMs : most), 0);
}

// Puts together what the page is told of shards, pools and other processes, from beats and figures. Pure.
import type { Decision, ShardEntry } from '@weir/fleet';
import type { Process, Processes } from './processes.ts';
import { perSecond } from './processes.ts';
import { byLabel, noCounts, quantile, shares, together, total } from './series.ts';
import type {
  DecisionView,
  PoolView,
  ProcessView,
  PublisherView,
  RouterView,
  ShardView,
  TotalView,
} from './view.ts';

const framesSent = [
  'weir_shard_state_sent_total',
  'weir_shard_critical_sent_total',
  'weir_shard_cosmetic_sent_total',
] as const;

/** Beats say who is there; figures, where a shard tells them, say more. */
export function shardView(entry: ShardEntry, process: Process | undefined): ShardView {
  const { shard, pool, connections, capacity, draining, stale, ready } = entry;
  const series = process?.figures.series;
  return {
    shard,
    pool,
    clients: series === undefined ? connections : total(series, 'weir_shard_connections'),
    capacity,
    states: series === undefined ? {} : byLabel(series, 'weir_shard_connections_by_state', 'state'),
    backlogBytes: series === undefined ? entry.backlogBytes : total(series, 'weir_shard_backlog_bytes'),
    bytesPerSecond: Math.round(entry.egressBytesPerSecond),
    framesPerSecond: round(perSecond(process, ...framesSent)),
    loop: round(entry.loopUtilisation),
    lateMs: round(entry.tickLatenessMs),
    lagMs: milliseconds(process === undefined ? undefined : quantile(process.lag, 0.95)),
    upMs: process?.figures.upMs,
    version: process?.figures.version,
    memoryBytes: series?.['process_resident_memory_bytes'],
    draining,
    stale,
    ready,
  };
}

export function poolViews(shards: readonly ShardView[], processes: Processes): readonly PoolView[] {
  const names = [...new Set(shards.map(({ pool }) => pool))].toSorted();
  return names.map((pool) => {
    const of = shards.filter((one) => one.pool === pool);
    const told = of.flatMap(({ shard }) => processes.get('shard', shard) ?? []);
    const lag = together(told.map((one) => one.lag));
    const limits = told[0]?.figures.limits;
    return {
      pool,
      shards: of.length,
      serving: of.filter(({ ready, draining }) => ready && !draining).length,
      clients: sum(of, ({ clients }) => clients),
      capacity: sum(of, ({ capacity }) => capacity),
      states: addUp(of.map(({ states }) => states)),
      framesPerSecond: round(sum(of, ({ framesPerSecond }) => framesPerSecond)),
      bytesPerSecond: sum(of, ({ bytesPerSecond }) => bytesPerSecond),
      backlogBytes: sum(of, ({ backlogBytes }) => backlogBytes),
      lagMs: milliseconds(quantile(lag, 0.5)),
      lag95Ms: milliseconds(quantile(lag, 0.95)),
      backlog: shares(together(told.map((one) => one.backlog))).map(
        ([le, share]) => [Number.isFinite(le) ? le : null, round(share)] as const,
      ),
      softBytes: limits?.['softBytes'],
      hardBytes: limits?.['hardBytes'],
    };
  });
}

export function totalView(
  shards: readonly ShardView[],
  pools: readonly PoolView[],
  processes: Processes,
): TotalView {
  const all = processes.of('shard');
  // Every shard hears everything that is published.
  const published = all.map((one) => perSecond(one, 'weir_shard_intake_messages_total'));
  return {
    clients: sum(shards, ({ clients }) => clients),
    shards: shards.length,
    publishedPerSecond: round(published.reduce((most, one) => Math.max(most, one), 0)),
    framesPerSecond: round(sum(pools, ({ framesPerSecond }) => framesPerSecond)),
    bytesPerSecond: sum(pools, ({ bytesPerSecond }) => bytesPerSecond),
    lag95Ms: milliseconds(quantile(together(all.map(({ lag }) => lag)), 0.95)),
  };
}

export function routerViews(processes: Processes): readonly RouterView[] {
  return sortedOf(processes, 'router').map((process) => ({
    ...processView(process),
    connectsPerSecond: round(perSecond(process, 'weir_router_upgrades_total')),
    pending: total(process.figures.series, 'weir_router_pending_clients'),
    refusedPerSecond: round(perSecond(process, 'weir_router_refusals_total')),
  }));
}

export function publisherViews(processes: Processes): readonly PublisherView[] {
  return sortedOf(processes, 'publisher').map((process) => ({
    ...processView(process),
    messagesPerSecond: round(perSecond(process, 'weir_publisher_messages_total')),
  }));
}

/** The newest decisions of all routers, oldest first. */
export function decisionViews(processes: Processes, most: number): readonly DecisionView[] {
  return processes
    .of('router')
    .flatMap(({ figures }) => figures.decisions ?? [])
    .toSorted((a, b) => a.wallMs - b.wallMs)
    .slice(-most)
    .map(decisionView);
}

function decisionView({ wallMs, rttMs, kbps, n: _, ...rest }: Decision): DecisionView {
  return {
    atMs: Math.round(wallMs),
    ...rest,
    ...(rttMs === undefined ? {} : { rttMs: round(rttMs) }),
    ...(kbps === undefined ? {} : { kbps: Math.round(kbps) }),
  };
}

function processView({ figures: { id, version, upMs, series } }: Process): ProcessView {
  const memoryBytes = series['process_resident_memory_bytes'] ?? 0;
  return { id, version, upMs, memoryBytes, nats: series['weir_nats_connected'] === 1 };
}

function sortedOf(processes: Processes, service: 'router' | 'publisher'): readonly Process[] {
  return processes.of(service).toSorted((a, b) => a.figures.id.localeCompare(b.figures.id));
}

function addUp(all: readonly Readonly<Record<string, number>>[]): Record<string, number> {
  const sums = noCounts();
  for (const one of all)
    for (const [name, value] of Object.entries(one)) sums[name] = (sums[name] ?? 0) + value;
  return sums;
}

function sum<T>(all: readonly T[], of: (one: T) => number): number {
  return all.reduce((so, one) => so + of(one), 0);
}

function milliseconds(seconds: number | undefined): number | undefined {
  return seconds === undefined ? undefined : round(seconds * 1000);
}

/** Three decimals: the page shows fewer. */
function round(value: number): number {
  return Math.round(value * 1000) / 1000;
}

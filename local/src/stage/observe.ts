// What the page shows of router and shards, read from their /metrics.
import type { ServiceStatus } from '../supervise/service-spec.ts';
import { byLabel, readMetrics } from './read-metrics.ts';

export interface ShardView {
  readonly id: string;
  readonly pool: string;
  readonly up: boolean;
  readonly draining: boolean;
  readonly connections: number;
  /** Written and not proven to have arrived, for all of its clients. */
  readonly backlogBytes: number;
  readonly notLive: number;
  readonly offered: number;
  readonly withheld: number;
  /** So far, by reason. */
  readonly moves: Readonly<Record<string, number>>;
}

export interface RouterView {
  readonly up: boolean;
  readonly redirected: number;
  /** Measured clients so far, by pool. */
  readonly classes: Readonly<Record<string, number>>;
}

export interface ClusterView {
  readonly shards: readonly ShardView[];
  readonly router: RouterView;
}

export async function observe(services: readonly ServiceStatus[]): Promise<ClusterView> {
  const shards = services.filter(({ spec }) => spec.name === 'shard');
  const router = services.find(({ spec }) => spec.name === 'router');
  const [views, routerView] = await Promise.all([
    Promise.all(shards.map(observeShard)),
    observeRouter(router?.adminUrl),
  ]);
  return { shards: views, router: routerView };
}

async function observeShard({ spec, adminUrl }: ServiceStatus): Promise<ShardView> {
  const series = await readMetrics(adminUrl);
  const value = (name: string): number => series?.get(`weir_shard_${name}`) ?? 0;
  return {
    id: spec.id,
    pool: spec.pool ?? '',
    up: series !== undefined && value('ready') === 1,
    draining: value('draining_shards') > 0,
    connections: value('connections'),
    backlogBytes: value('backlog_bytes'),
    notLive: value('connections_not_live'),
    offered: value('state_offered_total'),
    withheld: value('state_withheld_total'),
    moves: series === undefined ? {} : byLabel(series, 'weir_shard_moves_total', 'reason'),
  };
}

async function observeRouter(adminUrl: string | undefined): Promise<RouterView> {
  const series = adminUrl === undefined ? undefined : await readMetrics(adminUrl);
  if (series === undefined) return { up: false, redirected: 0, classes: {} };
  return {
    up: true,
    redirected: byLabel(series, 'weir_router_connects_total', 'outcome')['redirected'] ?? 0,
    classes: byLabel(series, 'weir_router_classes_total', 'pool'),
  };
}

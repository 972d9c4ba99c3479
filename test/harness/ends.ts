// Every end has exactly one cause: what must hold between the numbers of a shard or a router (docs/metrics.md,
// Invariants), whatever became of their clients.
import type { Service } from './small-cluster.ts';
import { until } from './small-cluster.ts';

/** What does not add up, in words; nothing for a service that has no clients. */
export function unevenEnds(metrics: string): readonly string[] {
  const sum = (name: string): number =>
    metrics
      .split('\n')
      .filter((line) => line.startsWith(`${name} `) || line.startsWith(`${name}{`))
      .reduce((total, line) => total + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
  const equal = (left: string, ...right: readonly string[]): readonly string[] => {
    const total = right.reduce((all, name) => all + sum(name), 0);
    return sum(left) === total ? [] : [`${left} ${sum(left)} is not ${right.join(' + ')} ${total}`];
  };
  const closing = 'weir_shard_connections_by_state{state="closing"}';
  return [
    ...equal(
      'weir_shard_admissions_total{outcome="admitted"}',
      'weir_shard_connections',
      'weir_shard_endings_total',
    ),
    ...equal('weir_shard_closes_total', closing, 'weir_shard_endings_total'),
    ...equal('weir_router_upgrades_total', 'weir_router_open_clients', 'weir_router_connects_total'),
    ...equal('weir_router_connects_total', 'weir_router_closing_clients', 'weir_router_endings_total'),
  ];
}

/** Waits until all ends add up; a scrape is no photograph. */
export async function endsAddUp(service: Service): Promise<void> {
  let uneven: readonly string[] = [];
  const even = async (): Promise<boolean> => {
    uneven = unevenEnds(await (await fetch(`${service.admin}/metrics`)).text());
    return uneven.length === 0;
  };
  await until(even, `all ends of ${service.name} add up`).catch((cause: unknown) => {
    throw new Error(uneven.join('; '), { cause });
  });
}

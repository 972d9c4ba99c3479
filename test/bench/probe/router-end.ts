// The server's end of a link: the real router with a fixed shard table, one stand-in shard a pool. Reports each
// measurement to its parent, and ends with it. All stages are the router's own.

import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import type { ShardEntry } from '@weir/fleet';
import { entryOf } from '@weir/fleet/fakes';
import { rules, settings } from '@weir/router/dist/config.js';
import { createRouterMetrics } from '@weir/router/dist/metrics.js';
import type { ProbeResult } from '@weir/router/dist/probe/probe.js';
import { createRouter } from '@weir/router/dist/router.js';
import { createLogger, createMetricsRegistry, readConfig, systemClock } from '@weir/runtime';
import { WebSocketServer } from 'ws';

export type FromRouterEnd =
  | { readonly type: 'listening'; readonly port: number }
  | { readonly type: 'measured'; readonly result: ProbeResult };

const [address = '127.0.0.1'] = process.argv.slice(2);

const read = readConfig({
  table: settings,
  rules,
  env: {
    WEIR_PORT: '0',
    WEIR_TICKET_KEYS: `bench:${randomBytes(32).toString('base64url')}`,
    WEIR_CONNECTS_PER_SECOND_PER_ADDRESS: '100000',
    WEIR_CONNECT_BURST_PER_ADDRESS: '100000',
  },
});
if ('problems' in read) throw new Error(read.problems.join('\n'));

/** One stand-in for all shards of a pool: it only sends welcome. */
async function openShard(pool: string): Promise<number> {
  const shards = new WebSocketServer({ host: '0.0.0.0', port: 0, handleProtocols: () => 'weir.v1' });
  shards.on('connection', (ws) => {
    const welcome = { session: 's', pool, shard: pool, tickMs: 100, channels: ['bench'], resumed: false };
    ws.send(JSON.stringify({ type: 'welcome', ...welcome }));
    ws.on('error', () => undefined);
  });
  await once(shards, 'listening');
  const { port } = shards.address() as AddressInfo;
  return port;
}

const entry = async (pool: string): Promise<ShardEntry> =>
  entryOf(pool, { pool, url: `ws://${address}:${await openShard(pool)}`, capacity: 1_000_000 });
const entries = await Promise.all(read.config.pools.map(entry));

const { metrics, readFrom } = createRouterMetrics(
  createMetricsRegistry({ service: 'router', version: 'bench' }),
);
const router = createRouter({
  config: read.config,
  shards: {
    entries: () => entries,
    ticketGiven: () => undefined,
    stale: false,
    settled: true,
    endpointAgeMs: Number.POSITIVE_INFINITY,
    stop: () => Promise.resolve(),
  },
  link: { connected: true },
  readFrom,
  sleep: () => Promise.resolve(),
  metrics: {
    ...metrics,
    // Added to the router's own metrics: the measurement of one client.
    probed(result) {
      metrics.probed(result);
      say({ type: 'measured', result });
    },
  },
  logger: createLogger({ service: 'router', level: 'error' }),
  clock: systemClock,
  random: Math.random,
  randomBytes,
});
const { port } = await router.start();
say({ type: 'listening', port });
process.on('disconnect', () => process.exit(0));

function say(message: FromRouterEnd): void {
  process.send?.(message);
}

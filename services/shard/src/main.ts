// The shard's process: configuration, log, NATS, admin server, signals. What the shard does is in shard.ts.
import { Worker } from 'node:worker_threads';
import type { AdminServer } from '@weir/runtime';
import {
  announceListening,
  createLogger,
  createMetricsRegistry,
  loadConfig,
  natsAccess,
  openNats,
  reachable,
  roomForSockets,
  runUntilSignal,
  startAdmin,
  systemClock,
  WEIR_VERSION,
} from '@weir/runtime';
import type { ShardConfig } from './config.ts';
import { FILES_A_THREAD, fitted, rules, settings, threadsOf } from './config.ts';
import { createShardMetrics, exposeReadings } from './main-thread/metrics.ts';
import { readings } from './main-thread/readings.ts';
import { Shard } from './main-thread/shard.ts';
import { numberPlaces } from './port/thread-counts.ts';

const service = 'shard';
const asked: ShardConfig = loadConfig({
  service,
  summary: 'broadcasts NATS messages to the connections of one pool',
  table: settings,
  rules,
});
const logger = createLogger({ service, level: asked.logLevel });
const roomForClients = room();
const config = fitted(asked, roomForClients);
if (config !== asked) {
  const { capacity, maxPending } = config;
  logger.warn({ capacity, maxPending }, 'limit of open files lowers WEIR_CAPACITY and WEIR_MAX_PENDING');
}
const registry = createMetricsRegistry({ service, version: WEIR_VERSION });
const metrics = createShardMetrics(registry);
const link = openNats({
  servers: config.natsUrl,
  name: `weir-${service}-${config.shardId}`,
  ...natsAccess(config),
  logger,
  registry,
});
const shard = new Shard({
  config,
  roomForClients,
  link,
  metrics,
  logger,
  clock: systemClock,
  startThread: (start) =>
    new Worker(new URL('./fan-out-thread/thread-main.js', import.meta.url), { workerData: start }),
});
exposeReadings(registry, readings(shard, numberPlaces));
const admin = await listen();
runUntilSignal({
  logger,
  deadlineMs: config.shutdownDeadlineMs,
  steps: [
    { name: 'move the clients', run: () => shard.drain() },
    { name: 'stop', run: () => shard.stop() },
    { name: 'close NATS', run: () => link.close() },
    { name: 'close the admin server', run: () => admin.close() },
  ],
});
const adminUrl = `http://${reachable(config.adminHost)}:${admin.port}`;
logger.info({ url: shard.url, admin: adminUrl, pool: config.pool, shard: config.shardId }, 'listening');
announceListening({ url: shard.url, adminUrl });

/** Sockets that clients may have. */
function room(): number {
  try {
    return roomForSockets(FILES_A_THREAD * threadsOf(asked));
  } catch (err) {
    logger.fatal({ err }, 'cannot start');
    process.exit(1);
  }
}

async function listen(): Promise<AdminServer> {
  try {
    await shard.start();
    const { adminHost: host, adminPort: port } = config;
    const health = () => shard.health();
    const routes = { '/lost-state': () => shard.losses.answer() };
    const removals = { '/lost-state': () => shard.losses.discard() };
    return await startAdmin({ host, port, registry, health, routes, removals, logger });
  } catch (err) {
    logger.fatal({ err }, 'cannot start');
    process.exit(1);
  }
}

// The shard's process: configuration, log, NATS, admin server, signals. What the shard does is in shard.ts.
import type { AdminServer } from '@weir/runtime';
import {
  announceListening,
  createLogger,
  createMetricsRegistry,
  loadConfig,
  natsAccess,
  openNats,
  reachable,
  runUntilSignal,
  startAdmin,
  systemClock,
  WEIR_VERSION,
} from '@weir/runtime';
import type { ShardConfig } from './config.ts';
import { rules, settings } from './config.ts';
import { createShardMetrics, exposeReadings } from './metrics.ts';
import { readings } from './report/readings.ts';
import { Shard } from './shard.ts';
import { numberPlaces } from './thread-counts.ts';

const service = 'shard';
const config: ShardConfig = loadConfig({
  service,
  summary: 'broadcasts NATS messages to the connections of one pool',
  table: settings,
  rules,
});
const logger = createLogger({ service, level: config.logLevel });
const registry = createMetricsRegistry({ service, version: WEIR_VERSION });
const metrics = createShardMetrics(registry);
const link = openNats({
  servers: config.natsUrl,
  name: `weir-${service}-${config.shardId}`,
  ...natsAccess(config),
  logger,
  registry,
});
const shard = new Shard({ config, link, metrics, logger, clock: systemClock });
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

/** A port that is taken is said in one line, not in a stack trace. */
async function listen(): Promise<AdminServer> {
  try {
    await shard.start();
    const { adminHost: host, adminPort: port } = config;
    return await startAdmin({ host, port, registry, health: () => shard.health(), logger });
  } catch (err) {
    logger.fatal({ err }, 'cannot start');
    process.exit(1);
  }
}

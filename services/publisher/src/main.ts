// The publisher's process: configuration, log, NATS, admin server, signals. What it does is in publisher.ts.
import type { AdminServer, Health } from '@weir/runtime';
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
import type { PublisherConfig } from './config.ts';
import { settings } from './config.ts';
import type { PublisherMetrics } from './metrics.ts';
import { createPublisherMetrics } from './metrics.ts';
import { Publisher } from './publisher.ts';

const service = 'publisher';
const config: PublisherConfig = loadConfig({
  service,
  summary: 'takes messages by HTTP and publishes them to NATS',
  table: settings,
});
const logger = createLogger({ service, level: config.logLevel });
const registry = createMetricsRegistry({ service, version: WEIR_VERSION });
const maxConnections = connectionsThatFit();
const link = openNats({
  servers: config.natsUrl,
  name: `weir-${service}`,
  ...natsAccess(config),
  logger,
  registry,
});
const publisher: Publisher = new Publisher({
  config: { ...config, maxConnections },
  link,
  logger,
  clock: systemClock,
  random: Math.random,
  metrics: () => metrics,
});
const metrics: PublisherMetrics = createPublisherMetrics(registry, {
  messagesInFlight: () => publisher.messagesInFlight,
  requestsUnderWay: () => publisher.requestsUnderWay,
});
const { port, admin } = await listen();
runUntilSignal({
  logger,
  deadlineMs: config.shutdownDeadlineMs,
  steps: [
    { name: 'answer who is there', run: () => publisher.stop() },
    { name: 'close NATS', run: () => link.close() },
    { name: 'close the admin server', run: () => admin.close() },
  ],
});
const url = `http://${reachable(config.host)}:${port}`;
const adminUrl = `http://${reachable(config.adminHost)}:${admin.port}`;
logger.info({ url, admin: adminUrl }, 'listening');
announceListening({ url, adminUrl });

function connectionsThatFit(): number {
  try {
    const room = roomForSockets();
    if (room < config.maxConnections)
      logger.warn({ maxConnections: room }, 'limit of open files lowers WEIR_MAX_CONNECTIONS');
    return Math.min(config.maxConnections, room);
  } catch (err) {
    logger.fatal({ err }, 'cannot start');
    process.exit(1);
  }
}

async function listen(): Promise<{ readonly port: number; readonly admin: AdminServer }> {
  try {
    const { adminHost: host, adminPort } = config;
    const health = (): Health => publisher.health();
    const opened = await startAdmin({ host, port: adminPort, registry, health, logger });
    return { admin: opened, port: await publisher.start() };
  } catch (err) {
    logger.fatal({ err }, 'cannot start');
    process.exit(1);
  }
}

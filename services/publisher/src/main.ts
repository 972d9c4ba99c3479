// The publisher's process: configuration, log, NATS, admin server, signals. What it does is in publisher.ts.
import {
  announceListening,
  createLogger,
  createMetricsRegistry,
  loadConfig,
  openNats,
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
const link = openNats({
  servers: config.natsUrl,
  name: `weir-${service}`,
  credsFile: config.natsCredsFile,
  user: config.natsUser,
  password: config.natsPassword,
  token: config.natsToken,
  logger,
  registry,
});
const publisher: Publisher = new Publisher({
  config,
  link,
  logger,
  clock: systemClock,
  metrics: () => metrics,
});
const metrics: PublisherMetrics = createPublisherMetrics(registry, () => publisher.inFlight);
const port = await publisher.start();
const admin = await startAdmin({
  host: config.adminHost,
  port: config.adminPort,
  registry,
  health: () => ({
    ready: publisher.ready,
    reasons: publisher.ready ? [] : ['the streams are not there yet'],
    info: { nats: link.connected },
  }),
  logger,
});
runUntilSignal({
  logger,
  deadlineMs: config.shutdownDeadlineMs,
  steps: [
    { name: 'answer who is there', run: () => publisher.stop() },
    { name: 'close NATS', run: () => link.close() },
    { name: 'close the admin server', run: () => admin.close() },
  ],
});
const url = `http://127.0.0.1:${port}`;
const adminUrl = `http://127.0.0.1:${admin.port}`;
logger.info({ url, admin: adminUrl }, 'listening');
announceListening({ url, adminUrl });

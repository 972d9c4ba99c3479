// Control's process: configuration, log, NATS, admin server, signals. What control does is in control.ts.
import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { createBeats, decodeShedAnswer, encodeShedRequest } from '@weir/fleet';
import { configuredAccess, createKubeApi } from '@weir/kubernetes';
import { createSubjects } from '@weir/protocol';
import type { AdminServer, NatsConnection } from '@weir/runtime';
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
import type { ControlConfig } from './config.ts';
import { rules, settings } from './config.ts';
import type { Cluster } from './control.ts';
import { Control } from './control.ts';
import { createControlMetrics } from './metrics.ts';

const service = 'control';
const shedTimeoutMs = 2_000;

const config: ControlConfig = loadConfig({
  service,
  summary: 'serves load to autoscalers, balances shards and prices pods; never in the data path',
  table: settings,
  rules,
});
const logger = createLogger({ service, level: config.logLevel });
const registry = createMetricsRegistry({ service, version: WEIR_VERSION });
const metrics = createControlMetrics(registry, config.pools);
const clock = systemClock;
const subjects = createSubjects(config.subjectPrefix);
const link = openNats({
  servers: config.natsUrl,
  name: `weir-${service}`,
  ...natsAccess(config),
  logger,
  registry,
});
const counting = openNats({
  servers: config.natsUrl,
  name: `weir-${service}-counting`,
  ...natsAccess(config),
  logger,
});
const beats = createBeats({
  silentMs: config.beatSilentMs,
  maxShards: config.maxShards,
  clock,
  onBeat: (outcome) => metrics.beat(outcome),
});
const control = new Control({
  config,
  cluster: cluster(),
  beats,
  subjects,
  shed,
  metrics,
  logger,
  clock,
  random: Math.random,
  run: randomBytes(4).toString('hex'),
});
link.ready().then(
  (connection) => {
    beats.listen(connection, subjects.allBeats);
    control.cleanUp(connection);
    void measure(connection);
  },
  // Closed before it was ever connected: the process is ending.
  () => undefined,
);
const { url, admin } = await listen();
runUntilSignal({
  logger,
  deadlineMs: config.shutdownDeadlineMs,
  steps: [
    { name: 'give the lease back', run: () => control.stop() },
    { name: 'stop hearing the shards', run: () => beats.close() },
    { name: 'close NATS', run: () => Promise.all([link.close(), counting.close()]) },
    { name: 'close the admin server', run: () => admin.close() },
  ],
});
const adminUrl = `http://${reachable(config.adminHost)}:${admin.port}`;
logger.info({ url: url ?? adminUrl, admin: adminUrl }, 'listening');
announceListening({ url: url ?? adminUrl, adminUrl });

/** A port that is taken is said in one line, not in a stack trace. */
async function listen(): Promise<{ readonly url: string | undefined; readonly admin: AdminServer }> {
  try {
    const address = await control.start();
    const { adminHost: host, adminPort } = config;
    const health = (): ReturnType<Control['health']> => control.health();
    const started = await startAdmin({ host, port: adminPort, registry, health, logger });
    const own = address === undefined ? undefined : `https://${reachable(config.host)}:${address.port}`;
    return { url: own, admin: started };
  } catch (err) {
    logger.fatal({ err }, 'cannot start');
    process.exit(1);
  }
}

function cluster(): Cluster | undefined {
  const access = configuredAccess(config);
  if (access === undefined) return undefined;
  const { namespace = '', podName } = config;
  const identity = podName ?? `${hostname()}-${randomBytes(4).toString('hex')}`;
  return { api: createKubeApi(access), namespace, identity };
}

/** Counting has a connection of its own: where the server ends it as too slow, nothing else suffers. */
async function measure(connection: NatsConnection): Promise<void> {
  if (!config.measureStreams) return control.measure(connection, undefined);
  try {
    control.measure(connection, await counting.ready());
  } catch {
    // The process is ending.
  }
}

async function shed(shard: string, moves: number): Promise<number | undefined> {
  const request = encodeShedRequest({ moves, withinMs: config.rebalanceWithinMs });
  try {
    if (!link.connected || link.connection === undefined) return undefined;
    const timeout = { timeout: shedTimeoutMs };
    const reply = await link.connection.request(subjects.shed(shard), request, timeout);
    return decodeShedAnswer(reply.data)?.accepted;
  } catch {
    return undefined; // nobody listens, or not in time
  }
}

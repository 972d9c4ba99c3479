// The router's process: configuration, log, NATS, admin server, signals. What the router does is in router.ts.
import { randomBytes } from 'node:crypto';
import type { Beats, ShardEntry } from '@weir/fleet';
import { createBeats } from '@weir/fleet';
import { configuredAccess, createKubeApi } from '@weir/kubernetes';
import { createSubjects, limits } from '@weir/protocol';
import type { AdminServer, Logger, NatsLink } from '@weir/runtime';
import {
  announceListening,
  createLogger,
  createMetricsRegistry,
  everySoOften,
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
import type { RouterConfig } from './config.ts';
import { fitted, rules, settings } from './config.ts';
import type { Endpoints } from './endpoints/endpoints.ts';
import { createEndpoints } from './endpoints/endpoints.ts';
import { createRouterMetrics, largestSkewMs } from './metrics.ts';
import { createRouter } from './router.ts';

const service = 'router';
const skewCheckMs = 10_000;
const skewLogMs = 60_000;
const kubeLogMs = 30_000;

const asked: RouterConfig = loadConfig({
  service,
  summary: 'accepts clients, measures them and sends each to the pool and shard that suit it',
  table: settings,
  rules,
});
const logger = createLogger({ service, level: asked.logLevel });
const roomForClients = room();
const config = fitted(asked, roomForClients);
if (config !== asked)
  logger.warn({ maxSockets: config.maxSockets }, 'limit of open files lowers WEIR_MAX_SOCKETS');
const registry = createMetricsRegistry({ service, version: WEIR_VERSION });
const metrics = createRouterMetrics(registry);
const clock = systemClock;
const state = { listening: false, draining: false };
const link = openNats({
  servers: config.natsUrl,
  name: `weir-${service}`,
  ...natsAccess(config),
  logger,
  registry,
});
const beats = createBeats({
  silentMs: config.beatSilentMs,
  maxShards: config.maxShards,
  clock,
  onBeat: (outcome) => metrics.beat(outcome),
});
const endpoints = watchEndpoints();
const router = createRouter({
  config,
  roomForClients,
  shards: {
    entries,
    ticketGiven: (shard) => beats.ticketGiven(shard),
    get stale() {
      return beats.stale;
    },
  },
  metrics,
  logger,
  clock,
  random: Math.random,
  randomBytes,
});
metrics.watchEndpoints(() => endpoints?.ageMs ?? Number.POSITIVE_INFINITY);
hearBeats(link, beats);
endpoints?.start();
watchSkew(beats, logger);
const { port, admin } = await listen();
runUntilSignal({
  logger,
  deadlineMs: config.shutdownDeadlineMs,
  steps: [
    { name: 'leave the load balancers', run: leave },
    { name: 'answer who is there', run: () => router.stop() },
    { name: 'stop watching the endpoints', run: () => endpoints?.stop() },
    { name: 'close NATS', run: () => link.close() },
    { name: 'close the admin server', run: () => admin.close() },
  ],
});
announce(admin);

/** Sockets that clients may have. */
function room(): number {
  try {
    return roomForSockets();
  } catch (err) {
    logger.fatal({ err }, 'cannot start');
    process.exit(1);
  }
}

/** A port that is taken is said in one line, not in a stack trace. */
async function listen(): Promise<{ readonly port: number; readonly admin: AdminServer }> {
  try {
    const { port: bound } = await router.listen();
    state.listening = true;
    const { adminHost: host, adminPort } = config;
    return { port: bound, admin: await startAdmin({ host, port: adminPort, registry, health, logger }) };
  } catch (err) {
    logger.fatal({ err }, 'cannot start');
    process.exit(1);
  }
}

/** The shards by their beats, without those that Kubernetes says are leaving. */
function entries(): readonly ShardEntry[] {
  const heard = beats.entries();
  return endpoints === undefined ? heard : endpoints.weigh(heard);
}

function watchEndpoints(): Endpoints | undefined {
  const access = configuredAccess(config);
  if (access === undefined) return undefined;
  const often = everySoOften(kubeLogMs, clock);
  return createEndpoints({
    api: createKubeApi(access),
    namespace: config.namespace ?? '',
    labelSelector: config.endpointSelector,
    clock,
    random: Math.random,
    onProblem: (error) => {
      metrics.endpointProblem();
      const reason = error instanceof Error ? error.message : 'unknown reason';
      often((suppressed) => logger.warn({ reason, suppressed }, 'the endpoints cannot be watched'));
    },
  });
}

function hearBeats(from: NatsLink, to: Beats): void {
  const subject = createSubjects(config.subjectPrefix).allBeats;
  from.ready().then(
    (connection) => to.listen(connection, subject),
    // Closed before it was ever connected: the process is ending.
    () => undefined,
  );
}

function health(): { ready: boolean; reasons: readonly string[]; info: Readonly<Record<string, unknown>> } {
  const reasons = [
    ...(state.listening ? [] : ['not listening yet']),
    ...(state.draining ? ['draining'] : []),
    ...(beats.settled ? [] : ['has not heard the shards yet']),
  ];
  const shards = entries();
  const readyShards = shards.filter((shard) => shard.ready && !shard.draining).length;
  const info = { shards: shards.length, readyShards, stale: beats.stale, nats: link.connected };
  return { ready: reasons.length === 0, reasons, info };
}

async function leave(): Promise<void> {
  state.draining = true;
  await new Promise((resolve) => setTimeout(resolve, config.drainGraceMs));
  beats.close();
}

/** Clocks that differ too much make tickets fail: said in words, at most once a minute. */
function watchSkew(from: Beats, to: Logger): void {
  const often = everySoOften(skewLogMs, clock);
  const check = (): void => {
    const skewMs = largestSkewMs(from.entries());
    if (Math.abs(skewMs) < limits.clockToleranceMs) return;
    often(() => to.warn({ skewMs }, 'clock of a shard is far from ours, tickets may be refused'));
  };
  setInterval(check, skewCheckMs).unref();
}

function announce({ port: adminPort }: AdminServer): void {
  const url = `ws://${reachable(config.host)}:${port}`;
  const adminUrl = `http://${reachable(config.adminHost)}:${adminPort}`;
  logger.info({ url, admin: adminUrl }, 'listening');
  announceListening({ url, adminUrl });
}

import { randomBytes } from 'node:crypto';
import { createLogger, createMetricsRegistry, systemClock } from '@weir/runtime';
import { expect, it } from 'vitest';
import { configOf } from './fakes/running-router.ts';
import { entry } from './fakes/shard-entry.ts';
import { createRouterMetrics } from './metrics.ts';
import { createRouter } from './router.ts';

it('the router is ready while it listens, knows the shards, and does not drain', async () => {
  const shards = { settled: false, stopped: false };
  let graceOver: (() => void) | undefined;
  const waits: number[] = [];
  const router = createRouter({
    config: configOf({ WEIR_DRAIN_GRACE_MS: '7000' }),
    shards: {
      entries: () => [entry(), entry({ shard: 'd2', draining: true })],
      ticketGiven: () => undefined,
      stale: false,
      get settled() {
        return shards.settled;
      },
      endpointAgeMs: 0,
      stop: async () => {
        shards.stopped = true;
      },
    },
    link: { connected: true },
    ...createRouterMetrics(createMetricsRegistry({ service: 'router', version: 'test' })),
    logger: createLogger({ service: 'router', level: 'silent' }),
    clock: systemClock,
    random: Math.random,
    randomBytes,
    sleep: (ms) => {
      waits.push(ms);
      return new Promise<void>((resolve) => {
        graceOver = resolve;
      });
    },
  });
  expect(router.health().reasons).toEqual(['not listening yet', 'has not heard the shards yet']);
  const { url, port } = await router.start();
  expect(url).toBe(`ws://127.0.0.1:${port}`);
  shards.settled = true;
  expect(router.health()).toEqual({
    ready: true,
    reasons: [],
    info: { shards: 2, readyShards: 1, stale: false, nats: true },
  });
  const [drain, ...rest] = router.stops;
  const drained = drain?.run();
  expect([router.health().reasons, waits]).toEqual([['draining'], [7_000]]);
  // Load balancers may still send clients.
  expect((await fetch(`http://127.0.0.1:${port}/`)).status).toBe(404);
  graceOver?.();
  await drained;
  for (const { run } of rest) await run();
  expect(shards.stopped).toBe(true);
  await expect(fetch(`http://127.0.0.1:${port}/`)).rejects.toThrow();
});

import { expect, it } from 'vitest';
import { plan } from './plan.ts';
import { portsFrom } from './ports.ts';

const services = plan({
  natsUrl: 'nats://127.0.0.1:7703',
  ticketKeys: 't:secret',
  demo: true,
  ports: portsFrom(7700),
  given: {
    router: {},
    shard: { WEIR_TICK_MS: '50', WEIR_POOL: 'other' },
    publisher: { WEIR_DEMO: 'none' },
    control: {},
  },
}).flatMap((phase) => phase(() => 'ws://127.0.0.1:7701'));

it('gives router, publisher and console their usual ports', () => {
  expect(services.map(({ id, port }) => [id, port])).toEqual([
    ['router-1', 7701],
    ['desktop-1', undefined],
    ['desktop-2', undefined],
    ['mobile-1', undefined],
    ['publisher-1', 7702],
    ['control-1', 7704],
  ]);
});

it('lets shards drain, faster than in production, so that a person who watches sees the end', () => {
  const shards = services.filter(({ name }) => name === 'shard');
  expect(shards).toHaveLength(3);
  for (const { env, drains } of shards) {
    expect(drains).toBe(true);
    expect(Object.keys(env).filter((name) => /MOVES|SHUTDOWN/.test(name))).toEqual([]);
    expect(Number(env['WEIR_DRAIN_GRACE_MS'])).toBeGreaterThanOrEqual(1_000);
    expect(Number(env['WEIR_DRAIN_WINDOW_MS'])).toBeGreaterThanOrEqual(3_000);
  }
});

it('accepts settings of the environment, except those by which the services find each other', () => {
  const [, shard, , , publisher] = services;
  expect(shard?.env).toMatchObject({ WEIR_TICK_MS: '50', WEIR_POOL: 'desktop' });
  expect(publisher?.env).toMatchObject({ WEIR_DEMO: 'none' });
});

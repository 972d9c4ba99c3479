import type { BeatSource } from '@weir/fleet';
import { encodeBeat } from '@weir/fleet';
import type { KubeApi } from '@weir/kubernetes';
import type { Clock } from '@weir/runtime';
import { createLogger, createMetricsRegistry } from '@weir/runtime';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { configOf } from './fakes/running-router.ts';
import { entry } from './fakes/shard-entry.ts';
import { createRouterMetrics } from './metrics.ts';
import type { Shards } from './shards.ts';
import { createSkewCheck, openShards } from './shards.ts';

interface Bench {
  readonly clock: { nowMs: number } & Clock;
  readonly logged: string[];
  readonly shards: Shards;
  /** NATS delivers the beat of a shard. */
  beat(shard: string): void;
  count(series: string): Promise<number>;
}

const opened: Shards[] = [];
afterEach(async () => {
  await Promise.all(opened.splice(0).map((shards) => shards.stop()));
});

function fakeClock(): Bench['clock'] {
  const clock = { nowMs: 0, monotonicMs: () => clock.nowMs, wallMs: () => clock.nowMs };
  return clock;
}

async function setUp(api?: KubeApi): Promise<Bench> {
  const clock = fakeClock();
  const logged: string[] = [];
  const registry = createMetricsRegistry({ service: 'router', version: 'test' });
  const subjects: string[] = [];
  let deliver: Parameters<BeatSource['subscribe']>[1]['callback'] = () => undefined;
  const connection: BeatSource = {
    subscribe(subject, { callback }) {
      subjects.push(subject);
      deliver = callback;
    },
    flush: () => Promise.resolve(),
  };
  const shards = openShards({
    config: configOf({ WEIR_SUBJECT_PREFIX: 'other' }),
    api,
    connected: Promise.resolve(connection),
    metrics: createRouterMetrics(registry).metrics,
    logger: logger(logged),
    clock,
    random: () => 0.5,
  });
  opened.push(shards);
  await vi.waitFor(() => expect(subjects).toEqual(['other.ctl.beat.*.*']));
  return {
    clock,
    logged,
    shards,
    beat: (shard) => deliver(null, { data: encodeBeat(entry({ shard })) }),
    async count(series) {
      const line = (await registry.metrics()).split('\n').find((one) => one.startsWith(`${series} `));
      return Number(line?.split(' ')[1]);
    },
  };
}

function logger(logged: string[]): ReturnType<typeof createLogger> {
  return createLogger({ service: 'router', level: 'warn', sink: { write: (line) => logged.push(line) } });
}

/** A slice in which the shard `leaving` is being deleted. */
function slices(leaving: string): KubeApi {
  const endpoints = ['stays', leaving].map((name) => ({
    targetRef: { kind: 'Pod', name, uid: name },
    conditions: { serving: true, terminating: name === leaving },
  }));
  const slice = { metadata: { name: 'slice', resourceVersion: '1' }, endpoints };
  return {
    request: async () => ({ items: [slice], metadata: { resourceVersion: '1' } }),
    stream: ({ signal }) =>
      new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('over')))),
  };
}

describe('the table of shards', () => {
  it('has the shards whose beats arrive by NATS, and the router counts each beat', async () => {
    const { shards, beat, count } = await setUp();
    expect([shards.entries(), shards.settled]).toEqual([[], false]);
    beat('d1');
    beat('d1');
    expect(shards.entries().map(({ shard }) => shard)).toEqual(['d1']);
    expect([shards.settled, shards.stale]).toEqual([true, false]);
    expect(await count('weir_router_beats_total{outcome="new"}')).toBe(1);
    expect(await count('weir_router_beats_total{outcome="known"}')).toBe(1);
  });

  it('has no endpoints outside Kubernetes', async () => {
    const { shards } = await setUp();
    expect(shards.endpointAgeMs).toBe(Number.POSITIVE_INFINITY);
  });

  it('marks shards as draining that Kubernetes reports as terminating', async () => {
    const { shards, beat } = await setUp(slices('leaves'));
    beat('stays');
    beat('leaves');
    await vi.waitFor(() => expect(shards.endpointAgeMs).toBe(0));
    const draining = Object.fromEntries(shards.entries().map((one) => [one.shard, one.draining]));
    expect(draining).toEqual({ stays: false, leaves: true });
  });

  it('uses beats alone while the API server fails, and the router counts and logs the failures', async () => {
    const failing: KubeApi = {
      request: () => Promise.reject(new Error('no route to the API server')),
      stream: () => Promise.reject(new Error('no route to the API server')),
    };
    const { shards, beat, logged, count } = await setUp(failing);
    beat('d1');
    await vi.waitFor(() => expect(logged.join('')).toContain('no route to the API server'));
    expect(await count('weir_router_endpoint_problems_total')).toBeGreaterThan(0);
    expect(shards.entries()).toMatchObject([{ shard: 'd1', draining: false }]);
  });
});

describe('the clock check', () => {
  it('warns once a minute about a shard whose clock differs too much from ours', () => {
    const clock = fakeClock();
    const logged: string[] = [];
    let skewMs = 4_000;
    const check = createSkewCheck(
      { entries: () => [entry({ skewMs: 10 }), entry({ skewMs })] },
      { logger: logger(logged), clock },
    );
    check();
    expect(logged).toEqual([]);
    skewMs = -6_000;
    check();
    check();
    expect(logged.map((line) => JSON.parse(line))).toMatchObject([{ skewMs: -6_000 }]);
    clock.nowMs += 60_000;
    check();
    expect(logged).toHaveLength(2);
  });
});

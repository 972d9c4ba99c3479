import { describe, expect, it } from 'vitest';
import { entryOf, podOf } from '../fakes/entries.ts';
import { Measures } from './measure.ts';
import { METRICS, OLD_NAMES, SERVED } from './metric-names.ts';
import { Smoother } from './smooth.ts';

const connections = (measures: Measures): Readonly<Record<string, number>> =>
  Object.fromEntries(measures.pods.map(({ pod, measured }) => [pod.name, measured.connections]));

describe('Measures', () => {
  it('joins pods and beats by name, and drops beats without a pod', () => {
    const measures = new Measures();
    measures.observe(
      [podOf('a'), podOf('b')],
      [
        entryOf('a', { connections: 7, pool: 'mobile' }),
        entryOf('b', { connections: 9 }),
        entryOf('gone', { connections: 5_000 }),
      ],
    );
    expect(connections(measures)).toEqual({ a: 7, b: 9 });
    expect(measures.pods.map(({ pool }) => pool)).toEqual(['mobile', 'desktop']);
    expect(measures.counts).toEqual({ measured: 2, starting: 0, silent: 0 });
  });

  it('gives a pod that starts zeros until it is heard', () => {
    const measures = new Measures();
    const a = entryOf('a', { connections: 7 });
    measures.observe([podOf('a')], [a]);
    measures.observe([podOf('a'), podOf('new')], [a]);
    expect(connections(measures)).toEqual({ a: 7, new: 0 });
    expect(measures.counts).toEqual({ measured: 1, starting: 1, silent: 0 });
    measures.observe([podOf('a'), podOf('new')], [a, entryOf('new', { connections: 3 })]);
    expect(connections(measures)).toEqual({ a: 7, new: 3 });
  });

  it('leaves out a pod that has fallen silent: what is missing is never scaled down on', () => {
    const measures = new Measures();
    measures.observe([podOf('a'), podOf('b')], [entryOf('a'), entryOf('b', { connections: 5_000 })]);
    measures.observe([podOf('a'), podOf('b')], [entryOf('a')]);
    expect(connections(measures)).toEqual({ a: 0 });
    expect(measures.counts).toEqual({ measured: 1, starting: 0, silent: 1 });
  });

  it('does not take a pod that was there before us for one that starts', () => {
    const measures = new Measures();
    measures.observe([podOf('old')], []);
    expect(measures.pods).toEqual([]);
    expect(measures.counts).toEqual({ measured: 0, starting: 0, silent: 1 });
  });

  it('knows a successor of the same name by its uid', () => {
    const measures = new Measures();
    measures.observe([podOf('a')], [entryOf('a', { connections: 7 })]);
    measures.observe([podOf('a', { uid: 'another' })], []);
    expect(connections(measures)).toEqual({ a: 0 });
  });
});

describe('Smoother', () => {
  const at = (lastSeenMs: number, loopUtilisation: number, connections = 0) =>
    entryOf('a', { lastSeenMs, loopUtilisation, connections });

  it('shows one spike hardly, and a change that stays within half a minute', () => {
    const smoother = new Smoother();
    smoother.observe([at(0, 0)]);
    smoother.observe([at(1_000, 1)]);
    expect(smoother.of('a')?.loopUtilisation).toBeLessThan(0.07);
    for (let ms = 2_000; ms <= 31_000; ms += 1_000) smoother.observe([at(ms, 1)]);
    expect(smoother.of('a')?.loopUtilisation).toBeGreaterThan(0.85);
  });

  it('does not smooth connections, nor count a beat twice', () => {
    const smoother = new Smoother();
    smoother.observe([at(0, 0, 1)]);
    smoother.observe([at(1_000, 1, 900)]);
    const once = smoother.of('a');
    smoother.observe([at(1_000, 1, 900)]);
    expect(smoother.of('a')).toEqual(once);
    expect(once?.connections).toBe(900);
  });

  it('begins anew with another process, and forgets who is gone', () => {
    const smoother = new Smoother();
    smoother.observe([at(0, 1)]);
    for (let ms = 1_000; ms <= 30_000; ms += 1_000) smoother.observe([at(ms, 1)]);
    smoother.observe([{ ...at(31_000, 0), url: 'ws://other' }]);
    expect(smoother.of('a')?.loopUtilisation).toBe(0);
    smoother.observe([]);
    expect(smoother.of('a')).toBeUndefined();
  });

  it('lets no pool grow because its shards have just started', () => {
    const smoother = new Smoother();
    const starting = entryOf('a', { loopUtilisation: 1, tickLatenessMs: 900, healthyBacklogBytes: 50 });
    smoother.observe([{ ...starting, lastSeenMs: 0 }]);
    expect(smoother.of('a')).toMatchObject({
      loopUtilisation: 0,
      tickLatenessMs: 0,
      healthyBacklogBytes: 50,
    });
    for (let ms = 1_000; ms <= 10_000; ms += 1_000) smoother.observe([{ ...starting, lastSeenMs: ms }]);
    expect(smoother.of('a')?.loopUtilisation).toBeLessThan(0.5);
  });

  it('takes what is awaited where the shard tells it, else what an older shard tells', () => {
    const smoother = new Smoother();
    smoother.observe([
      entryOf('a', { backlogBytes: 900, healthyBacklogBytes: 100, awaitedBytes: 0 }),
      entryOf('b', { backlogBytes: 900, healthyBacklogBytes: 100 }),
      entryOf('c', { backlogBytes: 900 }),
    ]);
    expect(['a', 'b', 'c'].map((shard) => smoother.of(shard)?.awaitedBytes)).toEqual([0, 100, 900]);
  });

  it('takes the backlog of healthy clients where the shard tells it, else all of it', () => {
    const smoother = new Smoother();
    smoother.observe([
      entryOf('a', { backlogBytes: 900, healthyBacklogBytes: 100 }),
      entryOf('b', { backlogBytes: 900 }),
    ]);
    expect([smoother.of('a')?.healthyBacklogBytes, smoother.of('b')?.healthyBacklogBytes]).toEqual([
      100, 900,
    ]);
  });
});

describe('metrics', () => {
  it('read each something of its own', () => {
    const measured = {
      connections: 1,
      healthyBacklogBytes: 2,
      awaitedBytes: 3,
      egressBytesPerSecond: 4,
      loopUtilisation: 5,
      tickLatenessMs: 6_000,
    };
    expect(METRICS.map(({ read }) => read(measured))).toEqual([1, 2, 3, 4, 5, 6]);
  });
});

describe('the old names of metrics', () => {
  it('give the numbers of the new ones', () => {
    const of = (name: string): unknown => SERVED.find((kind) => kind.name === name)?.read;
    expect(SERVED.length).toBe(METRICS.length + OLD_NAMES.size);
    for (const [old, name] of OLD_NAMES) expect([old, of(old)]).toEqual([old, of(name)]);
  });
});

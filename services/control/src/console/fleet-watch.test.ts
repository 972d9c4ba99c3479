// What is told of shards that come, go, drain and start anew.
import { expect, it } from 'vitest';
import { entryOf } from '../fakes/entries.ts';
import { FleetWatch } from './fleet-watch.ts';

const a = entryOf('a', { connections: 3, incarnation: 'one' });
const b = entryOf('b', { connections: 1, incarnation: 'two' });

function told(...steps: readonly (readonly ReturnType<typeof entryOf>[])[]): {
  lines: string[];
  watch: FleetWatch;
} {
  const watch = new FleetWatch();
  const lines = steps.flatMap((entries, at) => watch.step(entries, at * 1_000).map(({ text }) => text));
  return { lines, watch };
}

it('the first look tells nothing', () => {
  expect(told([a, b]).lines).toEqual([]);
});

it('a shard that ends without a drain is lost, until it is back', () => {
  const { lines, watch } = told([a, b], [a]);
  expect(lines).toEqual(['b of pool desktop ended without a drain; it had 1 client.']);
  expect(watch.lost).toEqual([{ shard: 'b', pool: 'desktop', clients: 1, atMs: 1_000, back: false }]);
  expect(watch.step([a, b], 2_000).map(({ level }) => level)).toEqual(['good']);
  expect(watch.lost).toMatchObject([{ shard: 'b', back: true }]);
  watch.step([a, b], 62_001);
  expect(watch.lost).toEqual([]);
});

it('a lost shard is spoken of for five minutes', () => {
  const { watch } = told([a, b], [a]);
  watch.step([a], 300_000);
  expect(watch.lost).toHaveLength(1);
  watch.step([a], 301_000);
  expect(watch.lost).toEqual([]);
});

it('a shard that is started again before anybody misses it was lost, too', () => {
  const { lines, watch } = told([a], [{ ...a, connections: 0, incarnation: 'later' }]);
  expect(lines).toEqual(['a ended without a drain and was started again; it had 3 clients.']);
  expect(watch.lost).toMatchObject([{ shard: 'a', clients: 3, back: true }]);
});

it('a shard that drains is not lost', () => {
  const draining = { ...a, draining: true, connections: 2 };
  const { lines, watch } = told([a], [draining], [], [{ ...a, incarnation: 'later' }]);
  expect(lines).toEqual([
    'a drains: it moves 2 clients away.',
    'a of pool desktop has drained and ended.',
    'a of pool desktop is there, with room for 10000.',
  ]);
  expect(watch.lost).toEqual([]);
});

it('a shard that is back after its drain is told once', () => {
  expect(told([{ ...a, draining: true }], [{ ...a, incarnation: 'later' }]).lines).toEqual([
    'a is back after its drain.',
  ]);
});

it('says that a shard lost NATS, and that it is not ready', () => {
  const { lines } = told([a], [{ ...a, stale: true }], [{ ...a, ready: false }], [a]);
  expect(lines).toEqual([
    'a may serve less than was published.',
    'a has read everything again.',
    'a takes no clients.',
    'a takes clients.',
  ]);
});

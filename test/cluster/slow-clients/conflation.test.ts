// A client that is slow for a while skips values, but never the last one and never a deletion.
import { expect, it } from 'vitest';
import type { BareClient } from '../../harness/bare-client.ts';
import { comesToRest } from '../../harness/numbers.ts';
import { useScene } from '../../harness/scene.ts';
import { until } from '../../harness/small-cluster.ts';

const KEYS = 200;
const ROUNDS = 3;

const scene = useScene({
  shard: { WEIR_TICK_MS: '50', WEIR_SOFT_BYTES: '16384', WEIR_LAG_MS: '60000', WEIR_PING_MS: '200' },
});

/** Number of values sent to a client. */
const valuesOf = (client: BareClient): number =>
  client.of('state').reduce((sum, { message }) => sum + Object.keys(message['set'] ?? {}).length, 0);

it('a slow client ends with the newest value of every key, and without deleted keys', async () => {
  const { nats } = scene;
  const stream = new Map<string, string>();
  let turn = 1;
  /** The same numbers in every run. */
  const random = (below: number): number => {
    turn = (turn * 48_271) % 2_147_483_647;
    return turn % below;
  };
  let version = 0;
  const change = (): void => {
    const key = `k${random(KEYS)}`;
    // Every fourth is a deletion, often of a key that returns in the same tick or while the client is slow.
    if (random(4) === 0) {
      stream.delete(key);
      nats.publish(`weir.state.busy.${key}`, '');
    } else {
      const value = `{"version":${version++},"text":"${'x'.repeat(random(300))}"}`;
      stream.set(key, value);
      nats.publish(`weir.state.busy.${key}`, value);
    }
  };
  const proxy = await scene.proxy({});
  const [slow, fast] = await Promise.all([scene.client('busy', proxy), scene.client('busy')]);
  const feed = scene.every(10, () => {
    for (let i = 0; i < 20; i++) change();
  });
  for (let round = 0; round < ROUNDS; round++) {
    const { congestions, recoveries } = await flow();
    proxy.pause();
    await until(async () => (await flow()).congestions > congestions, 'it is congested');
    const changes = version;
    await until(() => version > changes + 1_500, 'much has changed meanwhile');
    proxy.resume();
    await until(async () => (await flow()).recoveries > recoveries, 'it has caught up');
  }
  feed.stop();
  await nats.flush();
  const newest = String(Math.max(...[...stream.values()].map((value) => JSON.parse(value).version)));
  const hasNewest = (client: BareClient): boolean =>
    [...client.state.values()].some((value) => value.includes(`"version":${newest},`));
  await until(() => hasNewest(slow) && hasNewest(fast), 'both have the newest value');
  await comesToRest(scene.shard, 2);
  // A deletion after the newest value may still be under way.
  const sorted = (map: ReadonlyMap<string, string>): string => JSON.stringify([...map].sort());
  await until(() => sorted(fast.state) === sorted(stream), 'the fast one has what the stream has');
  await until(() => sorted(slow.state) === sorted(stream), 'the slow one has what the stream has');
  expect(valuesOf(slow)).toBeLessThan(0.9 * valuesOf(fast));
  expect(slow.of('state').filter(({ message }) => message['snapshot'] === true)).toHaveLength(1);
  expect([slow.closed, fast.closed]).toEqual([undefined, undefined]);
});

async function flow(): Promise<{ congestions: number; recoveries: number }> {
  const numbers = await scene.numbers();
  return {
    congestions: numbers.of('weir_shard_congestions_total'),
    recoveries: numbers.of('weir_shard_recoveries_total'),
  };
}

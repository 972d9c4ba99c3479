// Case E4: clients are spread over the threads that accept, at any arrival rate, and newcomers fill empty threads.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Listeners } from '../../harness/listeners.ts';
import { comesToRest } from '../../harness/numbers.ts';
import { expectSound } from '../../harness/oracle.ts';
import { scale, seen } from '../../harness/scale.ts';
import { Scene } from '../../harness/scene.ts';
import { metric, until } from '../../harness/small-cluster.ts';
import { doorsOf, obedient, orderThread } from '../../harness/thread-orders.ts';

const THREADS = 4;
const CLIENTS = scale(400, 2_000);
const PER_SECOND = scale(400, 50);
/** Allowed excess over the least loaded thread: a quarter, and a few clients that are not worth a pause. */
const FEW = 40;
/** Busiest to least loaded thread, at a scale where FEW is small. */
const MOST_RATIO = scale(Number.POSITIVE_INFINITY, 1.5);

let scene: Scene;
let listeners: Listeners;

beforeAll(async () => {
  scene = await Scene.start({
    shard: { WEIR_THREADS: String(THREADS), WEIR_LOG_LEVEL: 'fatal', ...obedient },
  });
  listeners = new Listeners();
});

afterAll(async () => {
  await listeners.stop();
  await scene.stop();
});

async function expectShared(how: string): Promise<void> {
  await comesToRest(scene.shard, listeners.open, 60_000);
  const { sockets } = await doorsOf(scene.shard);
  const [least, most] = [Math.min(...sockets), Math.max(...sockets)];
  seen('E4', { clients: CLIENTS, how, threads: sockets.join(' '), 'busiest to least': most / least });
  expect(sockets.reduce((sum, one) => sum + one, 0)).toBe(CLIENTS);
  expect(most).toBeLessThanOrEqual(1.25 * least + FEW);
  expect(most / least).toBeLessThanOrEqual(MOST_RATIO);
}

describe(`${CLIENTS} clients and ${THREADS} threads (case E4)`, () => {
  it.each([
    [`${PER_SECOND} a second`, PER_SECOND],
    ['at once', 0],
  ])(
    '%s: all have their share',
    async (how, perSecond) => {
      await listeners.join(await scene.urls(CLIENTS), perSecond);
      await expectShared(how);
      listeners.leave(CLIENTS);
      await comesToRest(scene.shard, 0, 60_000);
      expectSound(scene.cluster.running);
    },
    scale(60_000, 200_000),
  );

  it(
    'of which half left with dead threads: newcomers fill the new threads',
    async () => {
      const { shard } = scene;
      await listeners.join(await scene.urls(CLIENTS));
      for (const thread of [0, 1]) orderThread(shard, { thread, order: 'die' });
      await until(async () => (await metric(shard, 'weir_shard_thread_deaths_total')) === 2, 'both are dead');
      await until(
        async () => (await metric(shard, 'weir_shard_threads')) === THREADS,
        'there are others in their place',
      );
      const opened = async (): Promise<number> => {
        const { doorways } = await doorsOf(shard, 2);
        return doorways.reduce((sum, one) => sum + one, 0);
      };
      await until(async () => (await opened()) === THREADS, 'all accept');
      await until(
        async () => (await metric(shard, 'weir_shard_connections')) === listeners.open,
        'those that are lost are counted on both sides',
      );
      const left = listeners.open;
      expect(left).toBeLessThan(0.7 * CLIENTS);
      await listeners.join(await scene.urls(CLIENTS - left));
      await expectShared(`after ${CLIENTS - left} have gone`);
    },
    scale(60_000, 200_000),
  );
});

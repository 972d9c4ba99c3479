// Clients that stop reading: known in time, closed, forgotten; and nobody else notices.
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { BareClient } from '../../harness/bare-client.ts';
import { comesToRest } from '../../harness/numbers.ts';
import type { Feed } from '../../harness/scene.ts';
import { Scene } from '../../harness/scene.ts';
import { until } from '../../harness/small-cluster.ts';

const LAG_MS = 1_500;
const PING_MS = 500;
const HARD_BYTES = 262_144;
/** Close, 2 s for its answer, FIN, 5 s more. */
const CLOSING_MS = 7_000;

let scene: Scene;

beforeAll(async () => {
  scene = await Scene.start({
    shard: {
      WEIR_TICK_MS: '100',
      WEIR_LAG_MS: String(LAG_MS),
      WEIR_PING_MS: String(PING_MS),
      WEIR_IDLE_PING_MS: '1000',
      WEIR_SOFT_BYTES: '65536',
      WEIR_HARD_BYTES: String(HARD_BYTES),
    },
  });
});

afterEach(async () => {
  await scene.leave();
  await comesToRest(scene.shard, 0);
});

afterAll(() => scene.stop());

/** 2 KB of state and a critical message, ten times a second where nothing else is said. */
function lobby(channel = 'lobby', everyMs = 100): Feed {
  const { nats } = scene;
  return scene.every(everyMs, (n) => {
    nats.publish(`weir.state.${channel}.slot-${n % 10}`, JSON.stringify(`${n} ${'x'.repeat(2_000)}`));
    nats.publish(`weir.critical.${channel}`, String(n));
    nats.publish(`weir.cosmetic.${channel}`, '"confetti"');
  });
}

/** Critical messages without a hole, up to the last. */
function hasAll(client: BareClient, last: number): void {
  const got = client.of('critical').map(({ message }) => Number(message['data']));
  const [first = 0] = got;
  expect(got).toEqual(Array.from({ length: last - first + 1 }, (_, i) => first + i));
}

describe('one that stops reading', () => {
  it('is known within lagMs, told 4009 should it wake, and forgotten', async () => {
    const [stuck, awake] = await scene.clients(2);
    if (stuck === undefined || awake === undefined) throw new Error('there are no clients');
    const before = await scene.numbers();
    const feed = lobby();
    stuck.ws.pause();
    const startMs = performance.now();
    await until(
      async () => (await scene.numbers()).closes('lag') === before.closes('lag') + 1,
      'it is closed for its lag',
    );
    const knownMs = performance.now() - startMs;
    // The clock starts with the first ping that is not answered.
    expect(knownMs).toBeGreaterThan(LAG_MS - PING_MS);
    expect(knownMs).toBeLessThan(LAG_MS + PING_MS + 4_000);
    stuck.ws.resume();
    await until(() => stuck.closed !== undefined, 'it hears of it');
    expect(stuck.closed).toBe(4009);
    await until(
      async () => (await scene.numbers()).of('weir_shard_connections') === 1,
      'it is counted no more',
    );
    feed.stop();
    await until(() => awake.of('critical').length === feed.count, 'the other one has everything');
    hasAll(awake, feed.count - 1);
    await comesToRest(scene.shard, 1);
    expect(awake.closed).toBeUndefined();
  });

  it('is forgotten though it never wakes, at the latest when the Close has had its time', async () => {
    const [stuck] = await scene.clients(1, 'asleep');
    const feed = lobby('asleep');
    stuck?.ws.pause();
    const startMs = performance.now();
    await until(
      async () => (await scene.numbers()).of('weir_shard_connections') === 0,
      'the shard has nobody left',
    );
    expect(performance.now() - startMs).toBeLessThan(LAG_MS + PING_MS + CLOSING_MS + 3_000);
    feed.stop();
    await comesToRest(scene.shard, 0);
  });

  it('is closed with 4008 where critical messages wait for room and it proves nothing, before its lag is seen', async () => {
    const [stuck, awake] = await scene.clients(2, 'heavy');
    if (stuck === undefined || awake === undefined) throw new Error('there are no clients');
    const before = await scene.numbers();
    stuck.ws.pause();
    let sent = 0;
    // Critical messages go through while it is congested, as many as fit the hard limit.
    await until(async () => {
      for (let i = 0; i < 5 && sent < 60; i++)
        scene.nats.publish('weir.critical.heavy', JSON.stringify(`${sent++} ${'z'.repeat(15_000)}`));
      return (await scene.numbers()).closes('hardBytes') > before.closes('hardBytes');
    }, 'it is closed');
    expect((await scene.numbers()).of('weir_shard_backlog_bytes')).toBeLessThan(HARD_BYTES + 1_024);
    stuck.ws.resume();
    await until(() => stuck.closed !== undefined, 'it hears of it');
    expect(stuck.closed).toBe(4008);
    // What was written before the Close has arrived, in order.
    const got = stuck.of('critical').map(({ message }) => Number.parseInt(String(message['data']), 10));
    expect(got).toEqual(Array.from(got, (_, i) => i));
    expect(got.length).toBeGreaterThan(HARD_BYTES / 2 / 16_384);
    await until(() => awake.of('critical').length === sent, 'the other one has everything');
    await comesToRest(scene.shard, 1);
  });
});

describe('thirty of three hundred that stop reading', () => {
  it('go, and the others get every message', async () => {
    const clients = await scene.clients(300, 'hall');
    const before = await scene.numbers();
    // No more than this process, which is all three hundred, reads on a slow machine: who does not read in time goes.
    const feed = lobby('hall', 300);
    await until(() => clients.every((client) => client.of('critical').length > 5), 'all are served');
    const stuck = clients.filter((_, i) => i % 10 === 0);
    const healthy = clients.filter((_, i) => i % 10 !== 0);
    for (const { ws } of stuck) ws.pause();
    await until(
      async () => {
        const numbers = await scene.numbers();
        expect(numbers.of('weir_shard_backlog_bytes')).toBeLessThan(clients.length * HARD_BYTES);
        return numbers.of('weir_shard_connections') === healthy.length;
      },
      'the stuck ones are gone',
      LAG_MS + CLOSING_MS + 20_000,
    );
    feed.stop();
    await until(
      () => healthy.every((client) => client.of('critical').at(-1)?.message['data'] === feed.count - 1),
      'the others have the last message',
    );
    for (const client of healthy) hasAll(client, feed.count - 1);
    const after = await comesToRest(scene.shard, healthy.length);
    expect(after.closes('lag') - before.closes('lag')).toBe(stuck.length);
    const [one] = healthy;
    expect(one?.state.size).toBe(10);
    for (const client of healthy) {
      expect(client.closed).toBeUndefined();
      expect(client.state).toEqual(one?.state);
    }
  }, 90_000);
});

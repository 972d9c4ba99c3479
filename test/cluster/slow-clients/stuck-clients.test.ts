// A client that stops reading: detected within its limit, closed, forgotten, and without effect on other clients.
import { describe, expect, it } from 'vitest';
import { comesToRest } from '../../harness/numbers.ts';
import { useScene } from '../../harness/scene.ts';
import { until } from '../../harness/small-cluster.ts';
import {
  CLOSING_MS,
  HARD_BYTES,
  hasAll,
  impatient,
  LAG_MS,
  lobby,
  PING_MS,
} from '../../harness/stuck-clients.ts';

const scene = useScene(impatient);

describe('a client that stops reading', () => {
  it('is detected within lagMs, gets 4009 if it wakes, and is forgotten', async () => {
    const [stuck, awake] = await scene.clients(2);
    if (stuck === undefined || awake === undefined) throw new Error('there are no clients');
    const before = await scene.numbers();
    const feed = lobby(scene);
    stuck.ws.pause();
    const startMs = performance.now();
    await until(
      async () => (await scene.numbers()).closes('lag') === before.closes('lag') + 1,
      'it is closed for its lag',
    );
    const knownMs = performance.now() - startMs;
    // The clock starts with the first unanswered ping.
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

  it('is forgotten even if it never wakes, at the latest after the time for the Close', async () => {
    const [stuck] = await scene.clients(1, 'asleep');
    const feed = lobby(scene, 'asleep');
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

  it('is closed with 4008 if critical messages wait for room and it proves nothing, before its lag shows', async () => {
    const [stuck, awake] = await scene.clients(2, 'heavy');
    if (stuck === undefined || awake === undefined) throw new Error('there are no clients');
    const before = await scene.numbers();
    stuck.ws.pause();
    let sent = 0;
    // Critical messages still go to a congested client, up to the hard limit.
    await until(async () => {
      for (let i = 0; i < 5 && sent < 60; i++)
        scene.nats.publish('weir.critical.heavy', JSON.stringify(`${sent++} ${'z'.repeat(15_000)}`));
      return (await scene.numbers()).closes('hardBytes') > before.closes('hardBytes');
    }, 'it is closed');
    // The sum of both clients' backlogs: the healthy one has proved everything, the stuck one is still connected.
    await until(async () => {
      const now = await scene.numbers();
      expect(now.of('weir_shard_connections')).toBe(2);
      return now.of('weir_shard_backlog_bytes') < HARD_BYTES + 1_024;
    }, 'the backlog is within the hard limit');
    stuck.ws.resume();
    await until(() => stuck.closed !== undefined, 'it hears of it');
    expect(stuck.closed).toBe(4008);
    // Everything written before the Close has arrived, in order.
    const got = stuck.of('critical').map(({ message }) => Number.parseInt(String(message['data']), 10));
    expect(got).toEqual(Array.from(got, (_, i) => i));
    expect(got.length).toBeGreaterThan(HARD_BYTES / 2 / 16_384);
    await until(() => awake.of('critical').length === sent, 'the other one has everything');
    await comesToRest(scene.shard, 1);
  });
});

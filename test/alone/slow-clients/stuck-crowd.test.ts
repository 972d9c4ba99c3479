// Many clients stop reading together: the shard evicts and forgets them, and the others get every message.
import { describe, expect, it } from 'vitest';
import { comesToRest } from '../../harness/numbers.ts';
import { useScene } from '../../harness/scene.ts';
import { until } from '../../harness/small-cluster.ts';
import { CLOSING_MS, HARD_BYTES, hasAll, impatient, LAG_MS, lobby } from '../../harness/stuck-clients.ts';

const scene = useScene(impatient);

describe('thirty of three hundred clients that stop reading', () => {
  it('are evicted, and the others get every message', async () => {
    const clients = await scene.clients(300, 'hall');
    const before = await scene.numbers();
    // A light feed: on a slow machine this process must read for all three hundred, or the shard evicts healthy ones.
    const feed = lobby(scene, 'hall', 300);
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
  });
});

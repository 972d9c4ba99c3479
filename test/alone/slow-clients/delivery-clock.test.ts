// The delivery clock: the shard knows what has arrived behind a proxy that buffers data, with few pings.
import { describe, expect, it } from 'vitest';
import { comesToRest } from '../../harness/numbers.ts';
import { useScene } from '../../harness/scene.ts';
import { elapsed, until } from '../../harness/small-cluster.ts';

const SOFT_BYTES = 65_536;
const KEYS = 20;
/** With the state that may be under way, this fills the proxy for seconds. */
const CRITICALS = 55;

const scene = useScene({
  shard: {
    WEIR_TICK_MS: '50',
    WEIR_SOFT_BYTES: String(SOFT_BYTES),
    WEIR_HARD_BYTES: '4194304',
    WEIR_LAG_MS: '60000',
  },
});

describe('a client behind a proxy that buffers 1 MB', () => {
  it("has its true backlog known while the shard's own queue is empty, and gets conflated state", async () => {
    const { nats } = scene;
    // 200 KB/s; the proxy buffers a megabyte before it stops reading.
    const proxy = await scene.proxy({ down: { kbps: 1_600, bufferBytes: 1_000_000 } });
    const before = await scene.numbers();
    const client = await scene.client('lobby', proxy);
    // 800 KB/s.
    const feed = scene.every(50, (n) => {
      for (let key = 0; key < KEYS; key++)
        nats.publish(`weir.state.lobby.k${key}`, JSON.stringify(`${n} ${'x'.repeat(2_000)}`));
    });
    await until(
      async () =>
        (await scene.numbers()).of('weir_shard_congestions_total') >
        before.of('weir_shard_congestions_total'),
      'it is congested',
    );
    for (let i = 0; i < CRITICALS; i++)
      nats.publish('weir.critical.lobby', JSON.stringify(`${i} ${'y'.repeat(15_000)}`));
    let numbers = before;
    let notArrived = 0;
    // The shard's own queue is nearly empty, since the proxy has taken everything. `bufferedAmount` would say 0.
    await until(async () => {
      const { queuedDown, bytesDown } = proxy.stats();
      numbers = await scene.numbers();
      const written =
        numbers.of('weir_shard_written_bytes_total') - before.of('weir_shard_written_bytes_total');
      // A lower bound, even if the scrape took long: bytesDown is read after it.
      notArrived = written - proxy.stats().bytesDown;
      return queuedDown > 300_000 && notArrived > 240_000 && written - queuedDown - bytesDown < 16_384;
    }, 'the proxy holds all that the client has not got');
    expect(numbers.of('weir_shard_backlog_bytes')).toBeGreaterThan(0.9 * notArrived);
    expect(numbers.of('weir_shard_backlog_bytes')).toBeLessThan(
      SOFT_BYTES + CRITICALS * 15_100 + KEYS * 2_100,
    );
    await until(() => client.of('critical').length === CRITICALS, 'it has all critical messages');
    feed.stop();
    const newest = JSON.stringify(`${feed.count - 1} ${'x'.repeat(2_000)}`);
    await until(
      () => client.state.size === KEYS && [...client.state.values()].every((value) => value === newest),
      'it has the newest value of every key',
    );
    expect(client.of('critical').map(({ message }) => Number.parseInt(String(message['data']), 10))).toEqual(
      Array.from({ length: CRITICALS }, (_, i) => i),
    );
    // Conflated: the client skipped many ticks.
    expect(client.of('state').length).toBeLessThan(feed.count);
    const after = await comesToRest(scene.shard, 1);
    expect(after.of('weir_shard_state_withheld_total')).toBeGreaterThan(
      before.of('weir_shard_state_withheld_total'),
    );
    expect(after.of('weir_shard_recoveries_total')).toBeGreaterThan(before.of('weir_shard_recoveries_total'));
    expect(client.closed).toBeUndefined();
  });
});

describe('pings', () => {
  it('are at most one a second while all is well', async () => {
    const client = await scene.client('calm');
    let pings = 0;
    client.ws.on('ping', () => pings++);
    const startMs = performance.now();
    // 40 KB/s: too few bytes to make a ping due.
    const feed = scene.every(50, (n) => {
      scene.nats.publish('weir.state.calm.k', JSON.stringify(`${n} ${'x'.repeat(2_000)}`));
    });
    await elapsed(4_000);
    feed.stop();
    const seconds = (performance.now() - startMs) / 1_000;
    expect(client.of('state').length).toBeGreaterThan(20);
    expect(pings).toBeGreaterThanOrEqual(2);
    expect(pings).toBeLessThanOrEqual(Math.ceil(seconds) + 1);
  });

  it('are one for every 64 KB at higher rates', async () => {
    const before = await scene.numbers();
    const client = await scene.client('torrent');
    let pings = 0;
    client.ws.on('ping', () => pings++);
    const startMs = performance.now();
    const feed = scene.every(50, (n) => {
      for (let key = 0; key < 20; key++)
        scene.nats.publish(`weir.state.torrent.k${key}`, JSON.stringify(`${n} ${'x'.repeat(2_000)}`));
    });
    await elapsed(2_000);
    feed.stop();
    const seconds = (performance.now() - startMs) / 1_000;
    const after = await scene.numbers();
    const bytes = after.of('weir_shard_written_bytes_total') - before.of('weir_shard_written_bytes_total');
    expect(bytes).toBeGreaterThan(10 * 65_536);
    expect(pings).toBeLessThanOrEqual(bytes / 65_536 + seconds + 2);
  });
});

// Clients make a shard send data by asking for it: repeated snapshots are bounded, first ones are not.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { BareClient } from '../../harness/bare-client.ts';
import { Scene } from '../../harness/scene.ts';
import { elapsed, metric, until } from '../../harness/small-cluster.ts';

const KEYS = 64;
const VALUE = JSON.stringify('x'.repeat(16_000));
const SNAPSHOT_BYTES = KEYS * VALUE.length;
const BURST_BYTES = 2_000_000;
const BYTES_PER_SECOND = 100_000;

const say = (client: BareClient, type: string): void =>
  client.ws.send(JSON.stringify({ type, channels: ['large'] }));
const received = (client: BareClient): number =>
  client.of('state').reduce((sum, { text }) => sum + text.length, 0);

describe('a channel of a megabyte', () => {
  let scene: Scene;

  beforeAll(async () => {
    scene = await Scene.start({
      shard: {
        WEIR_REDRAW_BURST_BYTES: String(BURST_BYTES),
        WEIR_REDRAW_BYTES_PER_SECOND: String(BYTES_PER_SECOND),
      },
    });
    for (let i = 0; i < KEYS; i++) scene.nats.publish(`weir.state.large.k${i}`, VALUE);
    await scene.nats.flush();
    await until(async () => (await metric(scene.shard, 'weir_shard_state_keys')) === KEYS, 'it is loaded');
  });

  afterAll(() => scene.stop());

  it('comes whole and at once to a client that subscribes to it, although it exceeds the bucket', async () => {
    const client = await scene.client('lobby');
    say(client, 'subscribe');
    await until(() => client.has('large'), 'the snapshot is whole');
    expect(received(client)).toBeGreaterThan(SNAPSHOT_BYTES);
    expect(await metric(scene.shard, 'weir_shard_redrawn_bytes_total')).toBe(0);
    client.close();
  });

  it('cannot be drawn again and again: the client waits, and is closed with 4029 if it continues', async () => {
    const client = await scene.client('lobby');
    const beganMs = performance.now();
    for (let i = 0; client.closed === undefined && i < 300; i++) {
      say(client, i % 2 === 0 ? 'subscribe' : 'unsubscribe');
      await elapsed(105);
    }
    expect(client.closed).toBe(4029);
    const seconds = (performance.now() - beganMs) / 1_000;
    // The first snapshot, the bucket with its refill, and the snapshot that overdrew it; frames have headers.
    const bound = 2 * SNAPSHOT_BYTES + BURST_BYTES + seconds * BYTES_PER_SECOND;
    expect(received(client)).toBeLessThan(1.1 * bound);
    expect(await metric(scene.shard, 'weir_shard_redrawn_bytes_total')).toBeGreaterThan(BURST_BYTES);
    expect(await metric(scene.shard, 'weir_shard_subscriptions_delayed_total')).toBeGreaterThan(20);
  });
});

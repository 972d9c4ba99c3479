// Critical messages behind a tick nearly as large as the bytes that may be under way: a client that reads as fast as
// its network allows is not closed for the publishers' load. Guards B1: it was closed with 4008 at every such tick.
import { expect, it } from 'vitest';
import type { BareClient } from '../../harness/bare-client.ts';
import { comesToRest } from '../../harness/numbers.ts';
import { OnceInOrder } from '../../harness/once-in-order.ts';
import { scale } from '../../harness/scale.ts';
import { useScene } from '../../harness/scene.ts';
import { until } from '../../harness/small-cluster.ts';

const KEYS = 200;
const ROUNDS = scale(4, 20);
const EVERY_MS = 3_000;
/** 1 Mbit/s and a round trip of 120 ms. */
const link = {
  down: { kbps: 1_000, delayMs: 60, bufferBytes: 1_000_000 },
  up: { kbps: 1_000, delayMs: 60, bufferBytes: 1_000_000 },
};

// The limits of the mobile pool, whose hard limit is 128 KB.
const scene = useScene({
  pool: 'mobile',
  shard: { WEIR_TICK_MS: '500', WEIR_COMPRESSION: 'false', WEIR_PROMOTION: 'false' },
});

it.each([
  { tickBytes: 120_000, criticalBytes: 5_000, channel: 'near' },
  { tickBytes: 110_000, criticalBytes: 10_000, channel: 'nearly' },
])(
  'a tick of $tickBytes B with three critical messages of $criticalBytes B behind it',
  {
    timeout: ROUNDS * EVERY_MS + 60_000,
  },
  async ({ tickBytes, criticalBytes, channel }) => {
    const { nats } = scene;
    const client = await scene.client(channel, await scene.proxy(link));
    const before = await scene.numbers();
    const oracle = new OnceInOrder(channel);
    oracle.began(-1);
    client.ws.on('message', (data) => {
      const frame = JSON.parse(String(data));
      if (frame.type === 'critical') oracle.got(frame.data[0]);
    });
    let published = 0;
    for (let round = 0; round < ROUNDS; round++) {
      const untilMs = performance.now() + EVERY_MS;
      const ticks = client.of('state').length;
      for (let key = 0; key < KEYS; key++)
        nats.publish(`weir.state.${channel}.k${key}`, valueFor(round, tickBytes / KEYS));
      await until(() => client.of('state').length > ticks, 'the tick begins to arrive');
      for (let i = 0; i < 3; i++)
        nats.publish(`weir.critical.${channel}`, JSON.stringify([published++, 'c'.repeat(criticalBytes)]));
      await until(() => performance.now() >= untilMs || client.closed !== undefined, 'the next tick');
      expect(client.closed).toBeUndefined();
    }
    await until(() => client.of('critical').length >= published, 'it has all critical messages');
    expect(oracle.faults).toEqual([]);
    expect(oracle.missing(Array.from({ length: published }, (_, i) => i))).toEqual([]);
    await until(() => hasAll(client, ROUNDS - 1), 'it has the newest value of every key');
    expect(client.closed).toBeUndefined();
    const after = await comesToRest(scene.shard, 1);
    for (const cause of ['hardBytes', 'lag'] as const) expect(after.closes(cause)).toBe(before.closes(cause));
  },
);

function valueFor(round: number, bytes: number): string {
  return JSON.stringify(`${round} ${'x'.repeat(bytes)}`);
}

function hasAll(client: BareClient, round: number): boolean {
  const values = [...client.state.values()];
  return values.length === KEYS && values.every((value) => value.startsWith(`"${round} `));
}

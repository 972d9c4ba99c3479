// An application that leaves a channel and wants it again faster than its network answers, through a slow link. It is
// served by the SDK, whose limits of its own keep it below those of the shard.
import { jetstream } from '@nats-io/jetstream';
import { connect } from '@weir/client';
import { expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { useScene } from '../../harness/scene.ts';
import { until } from '../../harness/small-cluster.ts';

const KEYS = 40;
const FLIPS = 400;
/** A little faster than a screen draws. */
const FLIP_MS = 15;

// What repeated snapshots may cost has a test of its own (slow-clients); here the budget must not end the client.
const scene = useScene({ shard: { WEIR_REDRAW_BURST_BYTES: '100000000' } });

it('is never closed, sees no part of a snapshot, and ends with what the stream has', async () => {
  const js = jetstream(scene.nats);
  const value = (n: number): string => JSON.stringify({ n, pad: 'x'.repeat(5_000) });
  for (let i = 0; i < KEYS; i++) await js.publish(`weir.state.lobby.k${i}`, value(0));
  const link = { kbps: 4_000, delayMs: 40, bufferBytes: 1_000_000 };
  const proxy = await scene.proxy({ down: link, up: link });
  class Slow extends WebSocket {
    constructor(url: string, protocols?: string[]) {
      super(new URL(url).pathname === '/v1/stream' ? proxy.url(url) : url, protocols);
    }
  }
  const client = connect({ url: scene.cluster.routerUrl, channels: ['lobby'], WebSocket: Slow });
  try {
    const closes: unknown[] = [];
    client.on('retry', (event) => closes.push(event));
    const lobby = client.channel('lobby');
    const newest = (): boolean => JSON.stringify(lobby.state.get('k0')).startsWith('{"n":-1,');
    const sizes = new Set<number>();
    lobby.on('state', ({ snapshot }) => snapshot && sizes.add(lobby.state.size));
    await until(() => lobby.state.size === KEYS, 'it is served');

    const feed = scene.every(50, (n) => void js.publish(`weir.state.lobby.k${n % KEYS}`, value(n)));
    let flips = 0;
    const flipping = scene.every(FLIP_MS, () => {
      if (flips++ % 2 === 0) lobby.unsubscribe();
      else lobby.subscribe();
    });
    await until(() => flips >= FLIPS, 'it has flipped');
    flipping.stop();
    lobby.subscribe();
    feed.stop();
    await js.publish('weir.state.lobby.k0', value(-1));
    await until(() => lobby.state.size === KEYS && newest(), 'it has what the stream has');
    expect(closes).toEqual([]);
    expect(client.info.attempts).toBe(1);
    // Empty: the shard ends half a snapshot of a subscription that was given up.
    expect([...sizes].filter((size) => size !== 0 && size !== KEYS)).toEqual([]);
  } finally {
    client.close();
  }
});

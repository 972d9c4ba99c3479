// A tick larger than a connection may have under way: the shard closes no client for the publishers' load.
import { expect, it } from 'vitest';
import { comesToRest } from '../../harness/numbers.ts';
import { useScene } from '../../harness/scene.ts';
import { until } from '../../harness/small-cluster.ts';

const HARD_BYTES = 131_072;
const KEYS = 1_000;

const scene = useScene({
  shard: {
    WEIR_TICK_MS: '200',
    WEIR_SOFT_BYTES: '32768',
    WEIR_HARD_BYTES: String(HARD_BYTES),
    WEIR_LAG_MS: '60000',
  },
});

it('of 300 KB reaches a client at 100 KB/s, in pieces', async () => {
  const { nats } = scene;
  const proxy = await scene.proxy({ down: { kbps: 800, bufferBytes: 1_000_000 } });
  const client = await scene.client('wide', proxy);
  for (let round = 0; round < 2; round++) {
    for (let i = 0; i < KEYS; i++)
      nats.publish(`weir.state.wide.k${i}`, JSON.stringify(`${round} ${'x'.repeat(300)}`));
    nats.publish('weir.critical.wide', String(round));
    // Ticks continue while the large one is under way.
    const small = setInterval(() => nats.publish('weir.state.wide.small', String(performance.now())), 50);
    let mostBytes = 0;
    await until(async () => {
      mostBytes = Math.max(mostBytes, (await scene.numbers()).of('weir_shard_backlog_bytes'));
      const values = [...client.state].filter(([key]) => key !== 'small');
      if (client.closed !== undefined) throw new Error(`closed with ${client.closed}, ${mostBytes}`);
      return values.length === KEYS && values.every(([, value]) => value.startsWith(`"${round} `));
    }, 'it has the newest value of every key').finally(() => clearInterval(small));
    expect(mostBytes).toBeLessThan(HARD_BYTES);
  }
  expect(client.of('critical').map(({ message }) => message['data'])).toEqual([0, 1]);
  expect(client.closed).toBeUndefined();
  await comesToRest(scene.shard, 1);
});

// A shard whose own network is down for a while: it must not blame its clients, which return to the same pool.
import { describe, expect, it } from 'vitest';
import { useScene } from '../../harness/scene.ts';
import { until } from '../../harness/small-cluster.ts';

/** Enough for each of three threads. */
const CLIENTS = 100;

const scene = useScene({
  shard: { WEIR_TICK_MS: '50', WEIR_LAG_MS: '1500', WEIR_PING_MS: '200', WEIR_IDLE_PING_MS: '1000' },
});

/** Clients behind a proxy that goes silent until the shard has closed all of them. Returns their close codes. */
async function cutOff(count: number): Promise<readonly (number | undefined)[]> {
  const before = await scene.numbers();
  const proxy = await scene.proxy({});
  const clients = await Promise.all(Array.from({ length: count }, () => scene.client('lobby', proxy)));
  const feed = scene.every(50, (n) => scene.nats.publish('weir.state.lobby.k', String(n)));
  await until(() => clients.every((client) => client.of('state').length > 3), 'all are served');
  proxy.pause();
  await until(async () => {
    const numbers = await scene.numbers();
    const gone = (cause: string): number => numbers.closes(cause) - before.closes(cause);
    return gone('lag') + gone('cutOff') >= count;
  }, 'all are let go');
  feed.stop();
  proxy.resume();
  await until(() => clients.every(({ closed }) => closed !== undefined), 'they hear of it');
  return clients.map(({ closed }) => closed);
}

// In this order: a shard that was cut off blames itself for another ten seconds.
describe('clients whose pongs stop', () => {
  it('are closed with 4009 if most other clients still answer', async () => {
    const others = await scene.clients(CLIENTS);
    expect(new Set(await cutOff(5))).toEqual(new Set([4009]));
    expect(others.map(({ closed }) => closed)).toEqual(others.map(() => undefined));
  });

  it("are closed with 4012 if they are most of the shard's clients, and keep their hints", async () => {
    const before = await scene.numbers();
    expect(new Set(await cutOff(CLIENTS))).toEqual(new Set([4012]));
    const after = await scene.numbers();
    expect(after.closes('cutOff') - before.closes('cutOff')).toBe(CLIENTS);
    expect(after.closes('lag')).toBe(before.closes('lag'));
  });
});

// Twenty thousand messages a second from NATS: the shard takes them in, keeps ticking, and sends clients the newest
// values when it cannot send every one.
import { expect, it } from 'vitest';
import type { BareClient } from '../../harness/bare-client.ts';
import { comesToRest } from '../../harness/numbers.ts';
import { scale } from '../../harness/scale.ts';
import { useScene } from '../../harness/scene.ts';
import { elapsed, until } from '../../harness/small-cluster.ts';

const KEYS = 5_000;
const PER_SECOND = 20_000;
const SECONDS = scale(3, 60);
const STEP_MS = 20;

const scene = useScene({
  shard: { WEIR_TICK_MS: '100', WEIR_HARD_BYTES: '8388608', WEIR_LAG_MS: '60000' },
});

const isStale = async (): Promise<boolean> => (await scene.numbers()).of('weir_shard_stale') === 1;

it(
  'the shard stays ready, and clients have the newest values, including late joiners',
  async () => {
    const { nats, shard } = scene;
    const client = await scene.client('flood');
    const before = await scene.numbers();
    const pad = 'x'.repeat(170);
    const newest = new Map<string, string>();
    let sent = 0;
    const startMs = performance.now();
    const step = (): void => {
      // The number due by now: a late step sends more.
      const due = Math.min(PER_SECOND * SECONDS, ((performance.now() - startMs) / 1_000) * PER_SECOND);
      for (; sent < due; sent++) {
        const value = `{"n":${sent},"pad":"${pad}"}`;
        newest.set(`k${sent % KEYS}`, value);
        nats.publish(`weir.state.flood.k${sent % KEYS}`, value);
      }
    };
    const feed = scene.every(STEP_MS, step);
    const criticals = scene.every(100, (n) => nats.publish('weir.critical.flood', String(n)));
    let wasReady = true;
    let late: Awaited<ReturnType<typeof scene.visitor>> | undefined;
    await until(
      async () => {
        wasReady &&= (await fetch(`${shard.admin}/readyz`)).ok;
        if (sent > (PER_SECOND * SECONDS) / 2) late ??= await scene.visitor('flood');
        return sent >= PER_SECOND * SECONDS;
      },
      'all is published',
      SECONDS * 1_000 + 20_000,
    );
    feed.stop();
    criticals.stop();
    await nats.flush();
    expect(wasReady).toBe(true);
    await hasNewest(client, newest);
    if (late === undefined) throw new Error('nobody came later');
    await hasNewest(late, newest);
    expect(client.of('critical').map(({ message }) => message['data'])).toEqual(
      Array.from({ length: criticals.count }, (_, n) => n),
    );
    expect(client.closed).toBeUndefined();
    const after = await comesToRest(shard, 2);
    const taken = (numbers: typeof after): number =>
      numbers.of('weir_shard_intake_messages_total{lane="state"}');
    // The shard took in every message. After a gap it refills from the stream, which counts only the newest values.
    const gaps =
      after.sum('weir_shard_intake_problems_total') - before.sum('weir_shard_intake_problems_total');
    if (gaps === 0) expect(taken(after) - taken(before)).toBe(sent);
    expect(taken(after) - taken(before)).toBeLessThanOrEqual(sent + KEYS);
    // A tick encodes a key once. A hand-over merged with the next one may make it encode a key again.
    const rise = (name: string): number => after.of(name) - before.of(name);
    expect(rise('weir_shard_state_keys_encoded_total')).toBeLessThanOrEqual(
      sent + rise('weir_shard_merged_ticks_total') * KEYS,
    );
    await until(async () => !(await isStale()), 'it is not behind', 30_000);
  },
  scale(120_000, 300_000),
);

it('a shard without enough processor reports that it is stale, keeps its clients, and catches up', async () => {
  const { nats, shard } = scene;
  const client = await scene.client('starved');
  const newest = new Map<string, string>();
  await until(async () => !(await isStale()), 'it is not behind', 30_000);
  // The shard runs for a tenth of the time.
  let starving = true;
  const starve = async (): Promise<void> => {
    while (starving) {
      shard.process.kill('SIGSTOP');
      await elapsed(90);
      shard.process.kill('SIGCONT');
      await elapsed(10);
    }
  };
  const starved = starve();
  const feed = scene.every(STEP_MS, (n) => {
    for (let i = 0; i < PER_SECOND / 50; i++) {
      const key = `k${(n * 400 + i) % KEYS}`;
      const value = `{"n":${n},"pad":"${'x'.repeat(170)}"}`;
      newest.set(key, value);
      nats.publish(`weir.state.starved.${key}`, value);
    }
  });
  const criticals = scene.every(100, (n) => nats.publish('weir.critical.starved', String(n)));
  try {
    await until(isStale, 'it says that it is behind', 40_000);
    expect((await fetch(`${shard.admin}/readyz`)).ok).toBe(true);
  } finally {
    starving = false;
    await starved;
    feed.stop();
    criticals.stop();
  }
  await until(async () => !(await isStale()), 'it is no longer behind', 30_000);
  await hasNewest(client, newest);
  await until(() => client.of('critical').length === criticals.count, 'it has every critical message');
  expect(client.of('critical').map(({ message }) => message['data'])).toEqual(
    Array.from({ length: criticals.count }, (_, n) => n),
  );
  expect(client.closed).toBeUndefined();
  await comesToRest(shard, 1);
});

async function hasNewest(client: BareClient, newest: ReadonlyMap<string, string>): Promise<void> {
  await until(
    () => {
      const { state } = client;
      return state.size === newest.size && [...newest].every(([key, value]) => state.get(key) === value);
    },
    'it has the newest value of every key',
    40_000,
  );
}

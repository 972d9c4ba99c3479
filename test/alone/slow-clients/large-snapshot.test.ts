// A snapshot much larger than its client can read in a second: it comes in bounded pieces, and critical messages do not
// wait for its end.
import { randomBytes } from 'node:crypto';
import { expect, it } from 'vitest';
import { comesToRest } from '../../harness/numbers.ts';
import { percentile } from '../../harness/oracle.ts';
import { scale, seen } from '../../harness/scale.ts';
import { useScene } from '../../harness/scene.ts';
import { elapsed, until } from '../../harness/small-cluster.ts';

/** At full scale 5 MB to a client at 10 KB/s, with limits for such clients; otherwise 100 KB/s. */
const SOFT_BYTES = scale(65_536, 32_768);
const KEYS = scale(1_200, 10_000);
const VALUE_BYTES = 500;
const KBPS = scale(800, 80);
const CHANGES_MS = scale(200, 2_000);
const LONGEST_MS = scale(40_000, 900_000);

const scene = useScene({
  shard: { WEIR_TICK_MS: '100', WEIR_SOFT_BYTES: String(SOFT_BYTES), WEIR_LAG_MS: '60000' },
});

it('reaches a slow client whole, while critical messages pass and values change', {
  timeout: LONGEST_MS + 60_000,
}, async () => {
  const { nats } = scene;
  const stream = new Map<string, string>();
  const set = (key: string): void => {
    const value = JSON.stringify(randomBytes((VALUE_BYTES * 3) / 4).toString('base64'));
    stream.set(key, value);
    nats.publish(`weir.state.large.${key}`, value);
  };
  const remove = (key: string): void => {
    stream.delete(key);
    nats.publish(`weir.state.large.${key}`, '');
  };
  for (let i = 0; i < KEYS; i++) set(`k${i}`);
  await until(
    async () => (await scene.numbers()).of('weir_shard_state_keys') === KEYS,
    'the shard has all keys',
  );

  const proxy = await scene.proxy({ down: { kbps: KBPS, delayMs: 20, bufferBytes: 1_000_000 } });
  const client = await scene.visitor('large', proxy);
  let bytes = 0;
  client.ws.on('message', (data) => {
    bytes += Buffer.isBuffer(data) ? data.length : 0;
  });
  await until(() => client.of('state').length > 0, 'the snapshot begins');
  /** Bytes that the client had when each critical message was published, and when it arrived. */
  const bytesAtPublish: number[] = [];
  const bytesAtArrival: number[] = [];
  const publishedMs: number[] = [];
  const agesMs: number[] = [];
  client.ws.on('message', (data) => {
    if (!String(data).startsWith('{"type":"critical"')) return;
    agesMs.push(performance.now() - (publishedMs[bytesAtArrival.length] ?? 0));
    bytesAtArrival.push(bytes);
  });
  const beganMs = performance.now();
  const feed = scene.every(CHANGES_MS, (n) => {
    bytesAtPublish.push(bytes);
    publishedMs.push(performance.now());
    nats.publish('weir.critical.large', String(n));
    // Changes keys inside and outside the part already sent, adds new keys, deletes others.
    set(`k${(n * 37) % KEYS}`);
    set(`new${n}`);
    remove(`k${(n * 53 + 1) % KEYS}`);
    if (n % 5 === 4) remove(`new${n - 2}`);
  });
  const hasEnded = (): boolean => client.of('state').some(({ message }) => message['more'] !== true);
  let mostBacklogBytes = 0;
  await until(
    async () => {
      const numbers = await scene.numbers();
      mostBacklogBytes = Math.max(mostBacklogBytes, numbers.of('weir_shard_backlog_bytes'));
      await elapsed(scale(0, 250));
      return hasEnded();
    },
    'the snapshot has ended',
    LONGEST_MS,
  );
  const tookMs = performance.now() - beganMs;
  const inTime = client.of('critical').length;
  feed.stop();
  await until(() => client.of('critical').length === feed.count, 'all critical messages', 30_000);
  expect(client.of('critical').map(({ message }) => message['data'])).toEqual(
    Array.from({ length: feed.count }, (_, n) => n),
  );
  // All but the last few arrived during the snapshot, and no more than the backlog was before each.
  expect(inTime).toBeGreaterThan(0.6 * feed.count);
  for (const [i, at] of bytesAtArrival.entries())
    expect(at - (bytesAtPublish[i] ?? 0)).toBeLessThan(2 * SOFT_BYTES);
  expect(mostBacklogBytes).toBeGreaterThan(SOFT_BYTES / 4);
  expect(mostBacklogBytes).toBeLessThanOrEqual(SOFT_BYTES + 16_384);
  await until(() => client.state.size === stream.size, 'it has every key');
  await comesToRest(scene.shard, 1);
  expect(new Map([...client.state].sort())).toEqual(new Map([...stream].sort()));
  expect(client.closed).toBeUndefined();
  expect(client.of('gap')).toEqual([]);
  seen('large snapshot', {
    keys: KEYS,
    'MB that came': bytes / 1e6,
    'whole after s': tookMs / 1_000,
    'under way, at most KB': mostBacklogBytes / 1_000,
    'critical messages meanwhile': inTime,
    'their age at p50 in ms': percentile(agesMs, 0.5),
    'at p99': percentile(agesMs, 0.99),
  });
});

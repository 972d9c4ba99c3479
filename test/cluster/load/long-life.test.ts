// A cluster whose keys come and go for a long time: the cost of starting a shard, before and after the clean-up.
import { readFileSync } from 'node:fs';
import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import { connect as connectNats } from '@nats-io/transport-node';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { askRouter, BareClient } from '../../harness/bare-client.ts';
import { end } from '../../harness/end.ts';
import { scale, seen } from '../../harness/scale.ts';
import type { Service } from '../../harness/small-cluster.ts';
import { isReady, metric, SmallCluster, until } from '../../harness/small-cluster.ts';

const GONE = Number(process.env['WEIR_TEST_DELETIONS'] ?? scale(5_000, 1_500_000));
const LIVE = scale(500, 10_000);
const READY_MS = scale(30_000, 240_000);
const CLEAN_MS = scale(60_000, 900_000);
const VALUE = JSON.stringify('x'.repeat(98));

let cluster: SmallCluster;
let nats: NatsConnection;

beforeAll(async () => {
  cluster = await SmallCluster.start();
  nats = await connectNats({ servers: cluster.nats.url });
});

afterAll(async () => {
  await nats.close();
  await cluster.stop();
});

/** Publishes a message for each number; an occasional acknowledgement keeps the stream from falling behind. */
async function publishAll(count: number, keyOf: (i: number) => string, value: string): Promise<void> {
  for (let i = 0; i < count; i++) {
    if (i % 1_000 < 999 && i < count - 1) nats.publish(`weir.state.${keyOf(i)}`, value);
    else await jetstream(nats).publish(`weir.state.${keyOf(i)}`, value, { timeout: 30_000 });
  }
}

async function streamSize(): Promise<{ messages: number; bytes: number }> {
  return (await (await jetstreamManager(nats)).streams.info('WEIR_STATE')).state;
}

function megabytes(shard: Service, field: 'VmRSS' | 'VmHWM'): number {
  const status = readFileSync(`/proc/${shard.process.pid}/status`, 'latin1');
  return Math.round(Number(new RegExp(`^${field}:\\s*(\\d+)`, 'm').exec(status)?.[1]) / 1_024);
}

/** Starts a shard on the current stream and connects a client, whose map must be the live keys. Reports the times. */
async function startOn(what: string, env: Readonly<Record<string, string>> = {}): Promise<void> {
  const { messages, bytes } = await streamSize();
  const startMs = performance.now();
  const shard = await cluster.startShard('desktop', 'desktop-1', env);
  await until(() => isReady(shard), 'the shard is ready', READY_MS);
  const readyMs = performance.now() - startMs;
  const redirect = await redirectTo(shard);
  const connectMs = performance.now();
  const client = BareClient.open(String(redirect['url']), redirect);
  await until(() => client.has('live'), 'the snapshot is whole');
  const snapshot = client.of('state');
  seen(`long life, ${what}`, {
    messages,
    'stream MB': bytes / 1e6,
    'ready after s': readyMs / 1_000,
    'MB when ready': megabytes(shard, 'VmRSS'),
    'MB at most': megabytes(shard, 'VmHWM'),
    remembered: await metric(shard, 'weir_shard_state_deletions'),
    'snapshot KB': snapshot.reduce((sum, { text }) => sum + text.length, 0) / 1_000,
    'whole after ms': (snapshot.at(-1)?.atMs ?? 0) - connectMs,
  });
  expect(client.state.size).toBe(LIVE);
  expect(await metric(shard, 'weir_shard_state_keys')).toBe(LIVE);
  expect(await metric(shard, 'weir_shard_intake_rejected_total{lane="state",reason="stateFull"}')).toBe(0);
  client.close();
  await end(shard.process, 'SIGKILL');
}

it('a shard starts with every value, however many keys were deleted, and the clean-up shrinks the stream', async () => {
  await startMaker();
  await publishAll(GONE, (i) => `gone.k${i}`, '1');
  await publishAll(GONE, (i) => `gone.k${i}`, '');
  await publishAll(LIVE, (i) => `live.k${i}`, VALUE);
  await startOn('deletions of the last ten minutes');
  await startOn('older deletions', { WEIR_STATE_DELETION_MS: '1000' });

  const startMs = performance.now();
  const env = { WEIR_CLEAN_UP_AFTER_MS: '1000', WEIR_CLEAN_UP_PER_SECOND: '50000' };
  const control = await cluster.control(env);
  // All keys, and the mark of the clean-up.
  await until(async () => (await streamSize()).messages === LIVE + 1, 'the deletions are gone', CLEAN_MS);
  seen('long life, clean-up', { 'after s': (performance.now() - startMs) / 1_000 });
  expect(await metric(control, 'weir_control_deletions_removed_total')).toBe(GONE);
  await startOn('after the clean-up');
}, 1_800_000);

/** Visits the router until it sends a client to this shard instead of the previous one. */
async function redirectTo(shard: Service): Promise<Readonly<Record<string, unknown>>> {
  let redirect: Readonly<Record<string, unknown>> = {};
  await until(async () => {
    redirect = await askRouter(`${cluster.routerUrl}/v1/connect?channels=live`).catch(() => ({}));
    return String(redirect['url']).startsWith(shard.url);
  }, 'the router knows the shard');
  return redirect;
}

/** A shard that creates the streams and ends. */
async function startMaker(): Promise<void> {
  const maker = await cluster.shard('desktop', 'desktop-0');
  await end(maker.process, 'SIGKILL');
}

// A message that no shard can broadcast replaces a value in the stream: its key ends as the stream has it everywhere,
// whether or not a shard that knows the value before is left; a value that only some shards can broadcast stays.
import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import { connect as connectNats } from '@nats-io/transport-node';
import type { Weir } from '@weir/client';
import { connect } from '@weir/client';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { end } from '../../harness/end.ts';
import type { Service } from '../../harness/small-cluster.ts';
import { metric, SmallCluster, until } from '../../harness/small-cluster.ts';

/** A shard that checks the stream so seldom that it puts nothing back. */
const SELDOM = { WEIR_VERIFY_MS: '10000' };

let cluster: SmallCluster;
let nats: NatsConnection;
let weir: Weir;
let first: Service;
let second: Service;

beforeAll(async () => {
  cluster = await SmallCluster.start();
  nats = await connectNats({ servers: cluster.nats.url });
  first = await cluster.shard('desktop', 'desktop-1', SELDOM);
  await publish('k', '1');
  await publish('other', '1');
  weir = connect({
    url: cluster.routerUrl,
    channels: ['a'],
    WebSocket,
    reconnect: { spreadMs: 0, baseMs: 100 },
  });
  await until(() => weir.channel('a').state.get('k') === 1, 'the client has the value');
});
afterAll(async () => {
  weir.close();
  await nats.close();
  await cluster.stop();
});

async function publish(key: string, value: string): Promise<number> {
  return (await jetstream(nats).publish(`weir.state.a.${key}`, value)).seq;
}

async function inStream(key: string): Promise<string | undefined> {
  const manager = await jetstreamManager(nats);
  const message = await manager.streams.getMessage('WEIR_STATE', { last_by_subj: `weir.state.a.${key}` });
  return message?.string();
}

it('its key is deleted where no shard is left that knows the value before', async () => {
  await publish('k', '{broken');
  await publish('other', '2');
  await until(() => weir.channel('a').state.get('other') === 2, 'the client is behind the broken message');
  await end(first.process, 'SIGKILL');
  second = await cluster.shard('desktop', 'desktop-2');
  await until(() => weir.info.shard === 'desktop-2', 'the client is at the new shard');
  await until(async () => (await inStream('k')) === '', 'the key is deleted in the stream');
  await until(() => !weir.channel('a').state.has('k'), 'the client has the deletion');
});

it('a value that is too large for some shards is not replaced by the one before', async () => {
  await publish('big', '1');
  const strict = await cluster.shard('mobile', 'mobile-1', { WEIR_MAX_MESSAGE_BYTES: '1024' });
  const large = JSON.stringify('x'.repeat(2_000));
  await publish('big', large);
  const refused = 'weir_shard_intake_rejected_total{lane="state",reason="tooLarge"}';
  await until(async () => (await metric(strict, refused)) === 1, 'the mobile shard refuses it');
  await end(second.process, 'SIGKILL');
  // No other shard is left to repair this: when it is repaired, the mobile shard has compared its keys with the stream.
  await publish('later', '1');
  await (await jetstreamManager(nats)).streams.purge('WEIR_STATE', { filter: 'weir.state.a.later' });
  await until(async () => (await inStream('later')) === '', 'the purged key is deleted');
  expect(await inStream('big')).toBe(large);
});

// When a store has become empty, shards report it and keep its former content, and a command writes it back.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import { connect as connectNats } from '@nats-io/transport-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BareClient } from '../../harness/bare-client.ts';
import { openAt } from '../../harness/open-at.ts';
import { publishUntilKept } from '../../harness/publish-until-kept.ts';
import type { Service } from '../../harness/small-cluster.ts';
import { metric, SmallCluster, until } from '../../harness/small-cluster.ts';

const KEYS = 500;
const CLI = fileURLToPath(new URL('../../../services/publisher/dist/bundle/cli/main.js', import.meta.url));

let cluster: SmallCluster;
let nats: NatsConnection;
let shards: readonly [Service, Service];

beforeAll(async () => {
  cluster = await SmallCluster.start();
  shards = [await cluster.shard('desktop', 'desktop-1'), await cluster.shard('mobile', 'mobile-1')];
  nats = await connectNats({ servers: cluster.nats.url, maxReconnectAttempts: -1, reconnectTimeWait: 100 });
});

afterAll(async () => {
  await nats.close();
  await cluster.stop();
});

const keep = (subject: string, value: string): Promise<number> => publishUntilKept(nats, { subject, value });

/** Publishes the keys of a channel, and waits until a client of each shard has all of them. */
async function fill(channel: string): Promise<readonly BareClient[]> {
  const js = jetstream(nats);
  for (let from = 0; from < KEYS; from += 100)
    await Promise.all(
      Array.from({ length: 100 }, (_, i) =>
        js.publish(`weir.state.${channel}.k${from + i}`, `"old ${from + i}"`),
      ),
    );
  const clients = [
    await BareClient.connect(cluster.routerUrl, `channels=${channel}`),
    await BareClient.connect(cluster.routerUrl, `channels=${channel}&class=mobile`),
  ];
  for (const client of clients) await until(() => client.state.size === KEYS, 'a client has all keys');
  return clients;
}

const lostKeys = (shard: Service): Promise<number> => metric(shard, 'weir_shard_lost_state_keys');

async function untilLost(keys: number): Promise<void> {
  for (const shard of shards)
    await until(async () => (await lostKeys(shard)) === keys, `${keys} lost keys are kept`, 30_000);
}

/** `said` is the last line: before it stands how far it is, where that takes longer than a second. */
async function publishCli(words: readonly string[], stdin = ''): Promise<{ code: number; said: string }> {
  const child = spawn(process.execPath, [CLI, ...words], {
    env: { PATH: process.env['PATH'], WEIR_NATS_URL: cluster.nats.url },
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => {
      said += chunk.toString();
    });
  child.stdin.end(stdin);
  const [code] = await once(child, 'close');
  return { code: Number(code), said: said.split(/(?<=\n)/).at(-1) ?? '' };
}

/** The expected channel: every old value except those published since. */
function whole(since: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return {
    ...Object.fromEntries(Array.from({ length: KEYS }, (_, i) => [`k${i}`, `"old ${i}"`])),
    ...since,
  };
}

const stateOf = (client: BareClient): string => JSON.stringify([...client.state].toSorted());
const wanted = (keys: Readonly<Record<string, string>>): string =>
  JSON.stringify(Object.entries(keys).toSorted());

/** Checks long-connected clients, and a client of a shard that starts now. */
async function expectAll(
  clients: readonly BareClient[],
  { channel, keys, lateId }: { channel: string; keys: Readonly<Record<string, string>>; lateId: string },
): Promise<void> {
  for (const client of clients) {
    await until(() => stateOf(client) === wanted(keys), 'a client has everything');
    expect(client.closed).toBeUndefined();
  }
  const started = await cluster.shard('mobile', lateId);
  const late = await openAt(cluster, { pool: 'mobile', id: lateId, service: started }, [channel]);
  await until(() => stateOf(late) === wanted(keys), 'a client of a shard that starts has everything');
  late.close();
  for (const client of clients) client.close();
}

async function purge(): Promise<void> {
  await (await jetstreamManager(nats)).streams.purge('WEIR_STATE');
}

describe('a state stream that has become empty (case K2)', () => {
  it('is reported, kept by the shards, and written back without overwriting anything', async () => {
    const clients = await fill('disk');
    await cluster.nats.kill();
    for (const name of await readdir(cluster.nats.storeDir))
      await rm(join(cluster.nats.storeDir, name), { recursive: true });
    await cluster.nats.restart();
    await keep('weir.state.disk.k7', '"new"');
    await untilLost(KEYS - 1);
    for (const shard of shards) {
      await until(
        () => shard.log.some((line) => line.includes('the state stream has lost keys')),
        'it is in the log',
      );
      const line = shard.log.find((one) => one.includes('the state stream has lost keys')) ?? '';
      expect(JSON.parse(line)).toMatchObject({ level: expect.stringMatching(/error/), of: KEYS });
      expect(await metric(shard, 'weir_shard_state_lost_keys_total')).toBeGreaterThanOrEqual(KEYS - 1);
      const response = await fetch(`${shard.admin}/lost-state`);
      expect(response.headers.get('content-type')).toBe('application/x-ndjson');
      const lines = (await response.text()).trimEnd().split('\n');
      expect(lines).toHaveLength(KEYS - 1);
      expect(lines).toContain('{"lane":"state","channel":"disk","key":"k8","data":"old 8"}');
    }
    // Clients show the current stream until an operator decides.
    for (const client of clients) await until(() => client.state.size === 1, 'a client has one key');
    await keep('weir.state.disk.k9', '"new too"');
    await untilLost(KEYS - 2);

    const { code, said } = await publishCli(['restore', shards[0].admin]);
    expect([code, said]).toEqual([0, `${KEYS - 2} keys written back, 0 left as the stream has them\n`]);
    await untilLost(0);
    expect(await publishCli(['restore', shards[1].admin])).toEqual({
      code: 0,
      said: 'there is nothing to restore\n',
    });
    const keys = whole({ k7: '"new"', k9: '"new too"' });
    await expectAll(clients, { channel: 'disk', keys, lateId: 'late-1' });
  });

  it('also if it was deleted; a copy in a file leaves alone what was published or deleted since', async () => {
    await purge();
    await untilLost(KEYS);
    for (const shard of shards) await fetch(`${shard.admin}/lost-state`, { method: 'DELETE' });
    const clients = await fill('deleted');
    await (await jetstreamManager(nats)).streams.delete('WEIR_STATE');
    await untilLost(KEYS);
    const copy = await (await fetch(`${shards[1].admin}/lost-state`)).text();
    await keep('weir.state.deleted.k1', '"new"');
    await keep('weir.state.deleted.k2', '');
    const folder = await mkdtemp(join(tmpdir(), 'weir-lost-'));
    await writeFile(join(folder, 'lost.ndjson'), copy);
    const restored = await publishCli(['restore', join(folder, 'lost.ndjson')]);
    expect(restored).toEqual({
      code: 0,
      said: `${KEYS - 2} keys written back, 2 left as the stream has them\n`,
    });
    // A second time, from standard input: nothing is written twice.
    const again = await publishCli(['restore', '-'], copy);
    expect(again).toEqual({ code: 0, said: `0 keys written back, ${KEYS} left as the stream has them\n` });
    await rm(folder, { recursive: true });
    const { k2: _, ...keys } = whole({ k1: '"new"' });
    await expectAll(clients, { channel: 'deleted', keys, lateId: 'late-2' });
    await untilLost(0);
  });

  it('also if it was purged: reported, never restored without a command, and dropped on command', async () => {
    await purge();
    await untilLost(KEYS - 1);
    const clients = await fill('purged');
    await purge();
    // The earlier loss is still kept as well.
    await untilLost(2 * KEYS - 1);
    for (const client of clients) {
      await until(() => client.state.size === 0, 'the keys are gone');
      client.close();
    }
    expect((await (await jetstreamManager(nats)).streams.info('WEIR_STATE')).state.messages).toBe(0);
    for (const shard of shards) {
      const answer = await fetch(`${shard.admin}/lost-state`, { method: 'DELETE' });
      expect(await answer.json()).toEqual({ discarded: 2 * KEYS - 1 });
      expect(await lostKeys(shard)).toBe(0);
      expect(await (await fetch(`${shard.admin}/lost-state`)).text()).toBe('');
    }
  });
});

describe('a critical stream that has become empty (case K2)', () => {
  it('is reported', async () => {
    const client = await BareClient.connect(cluster.routerUrl, 'channels=news');
    await until(() => client.position !== undefined, 'the client is served');
    const before = await Promise.all(
      shards.map((shard) => metric(shard, 'weir_shard_critical_lost_messages_total')),
    );
    for (let i = 0; i < 5; i++) await keep('weir.critical.news', String(i));
    await until(() => client.ids.length === 5, 'the client has all');
    for (const shard of shards)
      await until(
        async () => (await metric(shard, 'weir_shard_critical_messages')) === 5,
        'each shard has all',
      );
    await (await jetstreamManager(nats)).streams.delete('WEIR_CRITICAL');
    for (const [at, shard] of shards.entries()) {
      const lost = async (): Promise<number> =>
        (await metric(shard, 'weir_shard_critical_lost_messages_total')) - (before[at] ?? 0);
      await until(async () => (await lost()) === 5, 'the messages are counted as lost');
      expect(shard.log.some((line) => line.includes('the critical stream has lost messages'))).toBe(true);
    }
    client.close();
  });
});

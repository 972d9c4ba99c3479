// Odd clients on raw sockets: a shard serves every client that it can serve, and closes the rest.
import type { NatsConnection } from '@nats-io/transport-node';
import { connect as connectNats } from '@nats-io/transport-node';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { askRouter } from '../../harness/bare-client.ts';
import type { RawOptions } from '../../harness/raw-client.ts';
import { clientFrame, opcodes, RawClient, usualHeaders } from '../../harness/raw-client.ts';
import type { Service } from '../../harness/small-cluster.ts';
import { metric, SmallCluster, until } from '../../harness/small-cluster.ts';

const LAG_MS = 3_000;

let cluster: SmallCluster;
let nats: NatsConnection;
let shard: Service;
const clients: RawClient[] = [];

beforeAll(async () => {
  cluster = await SmallCluster.start();
  shard = await cluster.shard('desktop', 'desktop-1', {
    WEIR_LAG_MS: String(LAG_MS),
    WEIR_IDLE_PING_MS: '1000',
    WEIR_PING_MS: '500',
  });
  nats = await connectNats({ servers: cluster.nats.url, maxReconnectAttempts: -1 });
});

afterEach(async () => {
  for (const client of clients.splice(0)) client.socket.destroy();
  await until(
    async () => (await metric(shard, 'weir_shard_connections')) === 0,
    'nobody is left on the shard',
  );
  expect(shard.process.exitCode).toBeNull();
});

afterAll(async () => {
  await nats.close();
  await cluster.stop();
});

const streamUrl = async (channel = 'lobby'): Promise<string> =>
  String((await askRouter(`${cluster.routerUrl}/v1/connect?channels=${channel}`))['url']);

async function open(options: RawOptions = {}, channel = 'lobby', more = ''): Promise<RawClient> {
  const client = new RawClient((await streamUrl(channel)) + more, options);
  clients.push(client);
  return client;
}

async function served(options: RawOptions = {}, channel = 'lobby'): Promise<RawClient> {
  const client = await open(options, channel);
  await until(() => client.of('state').length > 0, 'the client is served');
  return client;
}

/** Fails unless the client still gets messages. */
async function isServed(client: RawClient, channel = 'lobby'): Promise<void> {
  const before = client.of('critical').length;
  nats.publish(`weir.critical.${channel}`, '1');
  await until(() => client.of('critical').length > before, 'it gets a critical message');
  expect(client.closeCode).toBeUndefined();
}

const without = (name: string, ...lines: readonly string[]): readonly string[] => [
  ...usualHeaders.filter((line) => !line.startsWith(`${name}:`)),
  ...lines,
];

const elapsed = (ms: number): Promise<void> => {
  const startMs = performance.now();
  return until(() => performance.now() - startMs >= ms, 'the time has passed');
};

describe('the handshake', () => {
  it('chooses weir.v1 if it is offered, and no subprotocol otherwise', async () => {
    expect((await served()).header('sec-websocket-protocol')).toBe('weir.v1');
    const plain = await served({ headers: without('Sec-WebSocket-Protocol') });
    expect(plain.header('sec-websocket-protocol')).toBeUndefined();
    const several = await served({
      headers: without(
        'Sec-WebSocket-Protocol',
        'Sec-WebSocket-Protocol: mqtt, weir.v1',
        'Sec-WebSocket-Protocol: x',
      ),
    });
    expect(several.header('sec-websocket-protocol')).toBe('weir.v1');
  });

  it('chooses weir.v1 even if it ends in an error close', async () => {
    const client = new RawClient(`${shard.url}/v1/stream?ticket=nonsense`);
    clients.push(client);
    await until(() => client.closeCode !== undefined, 'it is refused');
    expect([client.status, client.closeCode, client.header('sec-websocket-protocol')]).toEqual([
      101,
      4500,
      'weir.v1',
    ]);
  });

  it('accepts the header spellings of Firefox and of small libraries', async () => {
    await served({ headers: without('Connection', 'Connection: keep-alive, Upgrade') });
    await served({
      headers: usualHeaders.map((line) =>
        line.toLowerCase().replace(/(key: ).*/, '$1dGhlIHNhbXBsZSBub25jZQ=='),
      ),
    });
    await served({ headers: without('Upgrade', 'Upgrade: WebSocket') });
  });

  it.each([
    'permessage-deflate',
    'permessage-deflate; server_max_window_bits=8; client_max_window_bits',
    'permessage-deflate; unknown="1", x-webkit-deflate-frame',
  ])('compresses nothing that was not agreed: %s', async (offer) => {
    const client = await served(
      { headers: [...usualHeaders, `Sec-WebSocket-Extensions: ${offer}`] },
      'deflate',
    );
    nats.publish('weir.state.deflate.k', JSON.stringify('x'.repeat(10_000)));
    await until(() => client.of('state').length > 1, 'the large value');
    if (client.header('sec-websocket-extensions') === undefined) {
      expect(client.frames.filter(({ firstByte }) => (firstByte & 0x70) !== 0)).toEqual([]);
    }
    expect(client.header('sec-websocket-extensions')).not.toBe('');
  });

  it('reads data from the same packet as the request (case D7)', async () => {
    const early = clientFrame(opcodes.text, '{"type":"subscribe","channels":["early"]}');
    const client = await open({ early });
    await until(
      () => client.of('state').some(({ channel }) => channel === 'early'),
      'the early wish is granted',
    );
  });

  it('treats an invalid position as no position', async () => {
    for (const pos of ['', 'x', '0.0.0.0.0.0', '%00', 'A'.repeat(3_000)]) {
      const client = await open({}, 'lobby', `&resume=${pos}`);
      await until(() => client.of('state').length > 0, 'it is served');
      expect(client.of('welcome')[0]?.['resumed']).toBe(false);
      expect(client.of('state')[0]?.['snapshot']).toBe(true);
    }
  });
});

describe('frames', () => {
  it('are whole, unmasked, at most 30,000 bytes, and only the last frame of a large snapshot has no `more`', async () => {
    const value = JSON.stringify('ä€😀'.repeat(700));
    const keys = (): Promise<number> => metric(shard, 'weir_shard_state_keys');
    const before = await keys();
    for (let i = 0; i < 60; i++) nats.publish(`weir.state.large.k${i}`, value);
    await until(async () => (await keys()) >= before + 60, 'the shard has all of it');
    const client = await open({}, 'large');
    const snapshot = (): readonly Readonly<Record<string, unknown>>[] =>
      client.of('state').filter((message) => message['snapshot'] === true);
    await until(() => snapshot().some((message) => message['more'] === undefined), 'the whole snapshot');
    const told = snapshot().flatMap((message) => Object.keys(message['set'] ?? {}));
    expect(new Set(told).size).toBe(60);
    expect(snapshot().length).toBeGreaterThan(10);
    expect(snapshot().findIndex((message) => message['more'] === undefined)).toBe(snapshot().length - 1);
    for (const { opcode, firstByte, payload } of client.frames) {
      expect(firstByte).toBe(0x80 | opcode);
      expect(payload.length).toBeLessThanOrEqual(opcode === opcodes.text ? 30_000 : 125);
      if (opcode === opcodes.text)
        expect(() => new TextDecoder('utf-8', { fatal: true }).decode(payload)).not.toThrow();
    }
  });

  it('from a client may be fragmented, with a ping in between', async () => {
    const client = await served();
    client.send(opcodes.text, '{"type":"subscribe",', false);
    client.send(opcodes.ping, 'mine');
    client.send(opcodes.continuation, '"channels":["pieces"]}');
    await until(() => client.of('state').some(({ channel }) => channel === 'pieces'), 'the subscription');
    const pong = client.frames.find(({ opcode }) => opcode === opcodes.pong);
    expect(pong?.payload.toString()).toBe('mine');
  });

  it.each([
    ['not masked', Buffer.from([0x81, 0x01, 0x61]), 1002],
    ['of a reserved kind', clientFrame(3, 'x'), 1002],
    ['a continuation of nothing', clientFrame(opcodes.continuation, 'x'), 1002],
    ['said to be huge', Buffer.from([0x82, 0xff, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0]), 1009],
    ['no UTF-8', clientFrame(opcodes.text, Buffer.from([0xff])), 1007],
  ])('from a client that are %s close its connection', async (_, bytes, code) => {
    const client = await served();
    client.socket.write(bytes);
    await until(() => client.closeCode !== undefined, 'it is closed');
    expect(client.closeCode).toBe(code);
  });
});

describe('pings', () => {
  it('a client that loses every second ping stays connected', async () => {
    const client = await served({ answers: (ping) => ping % 2 === 1 }, 'lossy');
    await elapsed(LAG_MS * 2);
    await isServed(client, 'lossy');
  });

  it('a client that sends its own pongs, solicited or not, is served, and they prove nothing', async () => {
    const foreign = await metric(shard, 'weir_shard_pongs_foreign_total');
    const client = await served({}, 'chatty');
    for (let i = 0; i < 20; i++) client.send(opcodes.pong, i % 2 === 0 ? '' : 'keepalive');
    await until(
      async () => (await metric(shard, 'weir_shard_pongs_foreign_total')) >= foreign + 20,
      'the pongs are counted',
    );
    await isServed(client, 'chatty');
  });

  it('a client that forges pongs but never answers is closed with 4009, and few pings wait for it', async () => {
    const client = await served({ answers: () => false }, 'deaf');
    const startMs = performance.now();
    await until(() => {
      client.send(opcodes.pong, Buffer.alloc(12));
      return client.closeCode !== undefined;
    }, 'it is closed');
    expect(client.closeCode).toBe(4009);
    expect(performance.now() - startMs).toBeGreaterThan(LAG_MS - 1_500);
    expect(client.pings).toBeLessThan(10);
  });
});

describe('the end', () => {
  it('a client that never answers a Close is cut, but not before 2 s, and after all earlier data', async () => {
    const client = await served({}, 'rude');
    nats.publish('weir.critical.rude', '"last"');
    await until(() => client.of('critical').length === 1, 'the last message');
    const startMs = performance.now();
    client.send(opcodes.text, 'no JSON');
    await until(() => client.closeCode === 4501, 'the Close');
    await until(() => client.ended, 'the FIN');
    expect(performance.now() - startMs).toBeGreaterThan(1_900);
  });

  it('a client that echoes another code is closed all the same', async () => {
    const client = await served();
    client.send(opcodes.text, 'no JSON');
    await until(() => client.closeCode === 4501, 'the Close');
    client.send(opcodes.close, Buffer.from([0x03, 0xe8]));
    await until(() => client.ended, 'the FIN', 1_500);
  });

  it.each<[string, (client: RawClient) => void]>([
    ['says Close', (client) => client.send(opcodes.close, Buffer.from([0x03, 0xe8]))],
    ['says Close without a code', (client) => client.send(opcodes.close)],
    ['ends its half without a Close', (client) => client.socket.end()],
    ['resets', (client) => client.socket.resetAndDestroy()],
  ])('a client that %s is forgotten at once', async (_, leave) => {
    const client = await served();
    leave(client);
    await until(
      async () => (await metric(shard, 'weir_shard_connections')) === 0,
      'the shard no longer counts it',
      2_500,
    );
    await until(() => client.ended || client.gone, 'the socket is ended', 2_500);
  });

  it('a client that leaves in the middle of its handshake leaves nothing behind', async () => {
    for (const headers of [usualHeaders, [], ['Upgrade: websocket']]) {
      const client = new RawClient(await streamUrl(), { headers });
      client.socket.end();
      client.socket.once('connect', () => client.socket.destroy());
      await until(() => client.gone, 'it is gone');
    }
    await until(
      async () => (await metric(shard, 'weir_shard_handshakes_pending')) === 0,
      'no handshake is left',
    );
  });
});

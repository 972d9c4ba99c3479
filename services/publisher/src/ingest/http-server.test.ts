import { once } from 'node:events';
import type { Socket } from 'node:net';
import { connect } from 'node:net';
import { createLogger } from '@weir/runtime';
import { afterEach, describe, expect, it } from 'vitest';
import type { Message } from '../parse/message.ts';
import { parseBatch } from '../parse/parse-batch.ts';
import type { Outcome } from '../send/outcome.ts';
import { createAuthorise } from './authorise.ts';
import { Handler } from './handle.ts';
import type { HttpServer } from './http-server.ts';
import { listen } from './http-server.ts';
import { RateLimit } from './rate-limit.ts';

const one = '{"lane":"critical","channel":"c","data":1.0}';
const open: { server: HttpServer; sockets: Socket[] } = { server: undefined as never, sockets: [] };

interface Settings {
  readonly keys?: readonly string[];
  readonly messagesPerSecond?: number;
  readonly maxRequests?: number;
  readonly maxRequestsPerPublisher?: number;
  readonly requestTimeoutMs?: number;
  readonly maxConnections?: number;
  readonly send?: (messages: readonly Message[]) => Promise<readonly Outcome[]>;
}

/** The HTTP server on a free loopback port, with a fake sender. */
async function start(settings: Settings = {}) {
  const sent: Message[] = [];
  const answered: string[] = [];
  const invalid: string[] = [];
  const keep = (messages: readonly Message[]): Promise<readonly Outcome[]> => {
    sent.push(...messages);
    return Promise.resolve(
      messages.map((_, i) => ({ kind: 'kept', stream: 'S', seq: i + 1, duplicate: false })),
    );
  };
  const handler = new Handler({
    parse: (body, format) => parseBatch(body, { format, maxMessages: 10 }),
    send: settings.send ?? keep,
    authorise: createAuthorise(settings.keys ?? []),
    rateLimit: new RateLimit({
      perSecond: { messages: settings.messagesPerSecond ?? 1_000, bytes: 1e6 },
      maxPublishers: 10,
      clock: { monotonicMs: () => 0, wallMs: () => 0 },
    }),
    maxBodyBytes: 2_000,
    maxRequests: settings.maxRequests ?? 10,
    maxRequestsPerPublisher: settings.maxRequestsPerPublisher ?? 10,
    onAnswer: (status, refusal) => answered.push(`${status} ${refusal ?? ''}`.trim()),
    onInvalid: (code) => invalid.push(code),
  });
  open.server = await listen({
    host: '127.0.0.1',
    port: 0,
    maxConnections: settings.maxConnections ?? 20,
    requestTimeoutMs: settings.requestTimeoutMs ?? 5_000,
    handler,
    logger: createLogger({ service: 'test', level: 'silent' }),
  });
  const url = `http://127.0.0.1:${open.server.port}/v1/publish`;
  const post = async (body: string, headers: Record<string, string> = {}) => {
    const response = await fetch(url, {
      method: 'POST',
      body,
      headers: { 'content-type': 'application/json', ...headers },
    });
    const answer: unknown = await response.json();
    return { status: response.status, headers: response.headers, answer };
  };
  return { url, post, sent, answered, invalid, handler };
}

/** Sends text by TCP and returns the answer until the end of the connection. */
async function raw(text: string): Promise<string> {
  const socket = connect(open.server.port, '127.0.0.1');
  open.sockets.push(socket);
  socket.on('error', () => undefined);
  const parts: Buffer[] = [];
  socket.on('data', (part) => parts.push(part));
  socket.write(text);
  await once(socket, 'close');
  return Buffer.concat(parts).toString();
}

afterEach(async () => {
  for (const socket of open.sockets.splice(0)) socket.destroy();
  await open.server.close();
});

describe('POST /v1/publish', () => {
  it('answers a request that offers an upgrade to HTTP/2, as Java and curl do, in HTTP/1.1', async () => {
    const { url } = await start();
    const lines = [
      'POST /v1/publish HTTP/1.1',
      `host: ${new URL(url).host}`,
      'connection: Upgrade, HTTP2-Settings',
      'upgrade: h2c',
      'http2-settings: AAEAAEAAAAIAAAABAAMAAABkAAQBAAAAAAUAAEAA',
      'content-type: application/json',
      `content-length: ${one.length}`,
    ];
    const socket = connect(Number(new URL(url).port), '127.0.0.1');
    socket.write(`${lines.join('\r\n')}\r\n\r\n${one}`);
    const [answer] = await once(socket, 'data');
    socket.destroy();
    expect(String(answer)).toMatch(/^HTTP\/1\.1 200 OK/);
  });

  it('publishes one message and answers with its sequence', async () => {
    const { post, sent, answered } = await start();
    expect(await post(one)).toMatchObject({ status: 200, answer: { ok: true, stream: 'S', seq: 1 } });
    expect(sent).toEqual([{ address: { lane: 'critical', channel: 'c' }, data: Buffer.from('1.0') }]);
    expect(answered).toEqual(['200']);
  });

  it('answers each line of a batch, in order, and publishes only the good ones', async () => {
    const { post, sent, invalid, answered } = await start();
    const { status, answer } = await post(`${one}\n{"lane":"x"}\n${one}\n`, {
      'content-type': 'application/x-ndjson',
    });
    expect(status).toBe(207);
    expect(answer).toMatchObject({
      kept: 2,
      results: [
        { ok: true, seq: 1 },
        { ok: false, kept: false, error: { code: 'FIELD_MISSING' } },
        { ok: true, seq: 2 },
      ],
    });
    expect(sent).toHaveLength(2);
    expect(invalid).toEqual(['FIELD_MISSING']);
    expect(answered).toEqual(['207']);
  });

  it('answers 503 with Retry-After while NATS is away', async () => {
    const { post } = await start({
      send: (all) => Promise.resolve(all.map(() => ({ kind: 'unavailable' }))),
    });
    const { status, headers, answer } = await post(one);
    expect([status, headers.get('retry-after')]).toEqual([503, '1']);
    expect(answer).toMatchObject({ ok: false, kept: false, error: { code: 'NATS_UNAVAILABLE' } });
  });

  it.each([
    ['text/plain', undefined],
    ['', undefined],
    ['application/json; charset=latin1', undefined],
    ['application/json', 'gzip'],
  ])('refuses content type %j with encoding %j', async (type, encoding) => {
    const { post, answered } = await start();
    const { status } = await post(one, {
      'content-type': type,
      ...(encoding === undefined ? {} : { 'content-encoding': encoding }),
    });
    expect(status).toBe(415);
    expect(answered).toEqual(['415 CONTENT_TYPE']);
  });

  it.each(['application/json; charset=utf-8', 'Application/JSON;charset="UTF-8"', 'application/json; x=y'])(
    'takes content type %j',
    async (type) => {
      const { post } = await start();
      expect(await post(one, { 'content-type': type })).toMatchObject({ status: 200 });
    },
  );

  describe('by another name than that of this machine', () => {
    const key = 'a-key-of-the-test';
    const origin = 'origin: http://rebound.example';
    const statusOf = async (...lines: readonly string[]): Promise<number> => {
      const head = ['POST /v1/publish HTTP/1.1', 'connection: close', 'content-type: application/json'];
      const answer = await raw([...head, ...lines, `content-length: ${one.length}`, '', one].join('\r\n'));
      return Number(/^HTTP\/1\.1 (\d+)/.exec(answer)?.[1]);
    };

    it('takes messages of programs, and none of a page without an API key', async () => {
      const { sent, answered } = await start();
      expect(await statusOf('host: rebound.example', origin)).toBe(403);
      expect([sent, answered]).toEqual([[], ['403 FOREIGN_PAGE']]);
      expect(await statusOf('host: weir-publisher.weir')).toBe(200);
      expect(await statusOf('host: localhost:8082', 'origin: http://localhost:8082')).toBe(200);
    });

    it('takes messages of a page with an API key', async () => {
      await start({ keys: [key] });
      expect(await statusOf('host: weir.example', origin, `x-api-key: ${key}`)).toBe(200);
      expect(await statusOf('host: weir.example', origin)).toBe(401);
    });
  });

  it('accepts one path and one method', async () => {
    const { url, answered } = await start();
    const get = await fetch(url);
    expect([get.status, get.headers.get('allow')]).toEqual([405, 'POST']);
    const other = await fetch(`${url}/x`, { method: 'POST', body: one });
    expect(other.status).toBe(404);
    expect(await other.json()).toMatchObject({ error: { code: 'NOT_FOUND' } });
    expect(answered).toEqual(['405 METHOD', '404 NOT_FOUND']);
  });

  it('requires a key if there are keys, before it reads a byte of the body', async () => {
    const { post } = await start({ keys: ['a-key-that-is-long'] });
    const { status, headers } = await post('not even JSON');
    expect([status, headers.get('www-authenticate')]).toEqual([401, 'Bearer realm="weir"']);
    expect(await post(one, { authorization: 'Bearer a-key-that-is-long' })).toMatchObject({ status: 200 });
  });

  it('refuses bodies that are too large, announced or not', async () => {
    const { post, url } = await start();
    expect(await post('x'.repeat(2_001))).toMatchObject({ status: 413 });
    const stream = new ReadableStream({
      start(controller) {
        for (let i = 0; i < 3; i++) controller.enqueue(Buffer.alloc(1_000));
        controller.close();
      },
    });
    const headers = { 'content-type': 'application/json' };
    const init = { method: 'POST', headers, body: stream, duplex: 'half' } as const;
    const response = await fetch(url, init);
    expect(response.status).toBe(413);
  });

  it('limits the rate, in messages', async () => {
    const { post, sent } = await start({ messagesPerSecond: 2 });
    expect(await post(`[${one},${one},${one}]`)).toMatchObject({ status: 200 });
    const { status, headers } = await post(one);
    expect([status, headers.get('retry-after')]).toEqual([429, '1']);
    expect(sent).toHaveLength(3);
  });

  it('refuses concurrent requests above its limit', async () => {
    let release = (): void => undefined;
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    const entered = { count: 0 };
    const { post } = await start({
      maxRequests: 1,
      send: async (all) => {
        entered.count += 1;
        await gate;
        return all.map(() => ({ kind: 'sent' }));
      },
    });
    const first = post(one);
    await until(() => entered.count === 1);
    expect(await post(one)).toMatchObject({ status: 503, answer: { error: { code: 'BUSY' } } });
    release();
    expect(await first).toMatchObject({ status: 200 });
  });

  it('keeps room for other keys while one has its share of slow bodies', async () => {
    const [slow, other] = ['k'.repeat(16), 'o'.repeat(16)];
    const { post, handler } = await start({
      keys: [slow, other],
      maxRequests: 4,
      maxRequestsPerPublisher: 2,
    });
    for (let i = 0; i < 2; i++) {
      const socket = connect(open.server.port, '127.0.0.1');
      open.sockets.push(socket);
      const head = `POST /v1/publish HTTP/1.1\r\nhost: a\r\nx-api-key: ${slow}\r\n`;
      socket.write(`${head}content-type: application/json\r\ncontent-length: 99\r\n\r\n{`);
    }
    await until(() => handler.underWay === 2);
    expect(await post(one, { 'x-api-key': slow })).toMatchObject({
      status: 429,
      answer: { error: { code: 'SHARE_USED' } },
    });
    expect(await post(one, { 'x-api-key': other })).toMatchObject({ status: 200 });
    for (const socket of open.sockets) socket.destroy();
    await until(() => handler.underWay === 0);
    expect(await post(one, { 'x-api-key': slow })).toMatchObject({ status: 200 });
  });

  it('treats all addresses of this machine as one publisher if there are no keys', async () => {
    await start({ messagesPerSecond: 1 });
    const from = async (localAddress: string): Promise<string> => {
      const socket = connect({ host: '127.0.0.1', port: open.server.port, localAddress });
      open.sockets.push(socket);
      const head = 'POST /v1/publish HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\n';
      socket.write(`${head}content-length: ${one.length}\r\n\r\n${one}`);
      const [answer] = await once(socket, 'data');
      return String(answer).split(' ')[1] ?? '';
    };
    expect(await from('127.0.0.1')).toBe('200');
    for (let i = 2; i < 12; i++) expect(await from(`127.0.0.${i}`)).toBe('429');
  });

  it('ends a request whose body stops halfway', async () => {
    await start({ requestTimeoutMs: 200 });
    const half =
      'POST /v1/publish HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: 99\r\n\r\n{';
    const answer = await raw(half);
    expect(answer).toMatch(/^HTTP\/1\.1 408 .*"BODY_TOO_SLOW"/s);
  });

  it('cuts clients that do not read their answers, so that they keep no place', async () => {
    // More than the kernel takes.
    const message = 'x'.repeat(20_000_000);
    let isLarge = true;
    const { answered } = await start({
      maxConnections: 2,
      requestTimeoutMs: 500,
      send: async (all) => all.map(() => (isLarge ? { kind: 'refused', message } : { kind: 'sent' })),
    });
    const head = 'POST /v1/publish HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\n';
    const request = `${head}connection: close\r\ncontent-length: ${one.length}\r\n\r\n${one}`;
    for (let i = 0; i < 2; i++) {
      const socket = connect(open.server.port, '127.0.0.1');
      open.sockets.push(socket);
      socket.on('error', () => undefined);
      socket.write(request);
    }
    await until(() => answered.length === 2);
    isLarge = false;
    let answer = '';
    while (answer === '') answer = await raw(request);
    expect(answer).toMatch(/^HTTP\/1\.1 200 /);
  }, 60_000);

  it('answers broken HTTP in JSON', async () => {
    await start();
    expect(await raw('nonsense\r\n\r\n')).toMatch(/^HTTP\/1\.1 400 .*"BAD_REQUEST"/s);
    expect(await raw(`GET / HTTP/1.1\r\nx: ${'y'.repeat(20_000)}\r\n\r\n`)).toMatch(/^HTTP\/1\.1 431 /);
    expect(await raw('GET / HTTP/1.1\r\n\r\n')).toMatch(/^HTTP\/1\.1 400 .*"BAD_REQUEST"/s);
  });

  it('answers a request before it refuses what is broken behind it', async () => {
    let release = (): void => undefined;
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    const { handler } = await start({
      send: async (all) => {
        await gate;
        return all.map(() => ({ kind: 'kept', stream: 'S', seq: 7, duplicate: false }));
      },
    });
    const head = 'POST /v1/publish HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\n';
    const answer = raw(`${head}content-length: ${one.length}\r\n\r\n${one}}nonsense\r\n\r\n`);
    await until(() => handler.underWay === 1);
    release();
    expect(await answer).toMatch(/^HTTP\/1\.1 200 .*"seq":7.*HTTP\/1\.1 400 .*"BAD_REQUEST"/s);
  });

  it('refuses a body that is broken in the middle at once', async () => {
    const { sent } = await start();
    const head = 'POST /v1/publish HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\n';
    const answer = await raw(`${head}transfer-encoding: chunked\r\n\r\n5\r\n{"lan\r\nnonsense\r\n`);
    expect(answer).toMatch(/^HTTP\/1\.1 400 .*"BAD_REQUEST"/s);
    expect(sent).toEqual([]);
  });

  it('keeps nothing of the refused uploads of a connection that stays open', async () => {
    const warnings: Error[] = [];
    const warned = (warning: Error): number => warnings.push(warning);
    process.on('warning', warned);
    await start({ keys: ['a-key-that-is-long'] });
    const socket = connect(open.server.port, '127.0.0.1');
    open.sockets.push(socket);
    for (let i = 0; i < 20; i++) {
      socket.write('POST /v1/publish HTTP/1.1\r\nhost: a\r\ncontent-length: 1000\r\n\r\n');
      const [answer] = await once(socket, 'data');
      expect(String(answer)).toMatch(/^HTTP\/1\.1 401 /);
      socket.write('x'.repeat(1_000));
    }
    await new Promise((resolve) => setImmediate(resolve));
    process.off('warning', warned);
    expect(warnings).toEqual([]);
  });

  it('ignores an expectation that it does not know', async () => {
    await start();
    const head = `POST /v1/publish HTTP/1.1\r\nhost: h\r\nconnection: close\r\nexpect: more\r\n`;
    const body = `content-type: application/json\r\ncontent-length: ${one.length}\r\n\r\n${one}`;
    expect(await raw(head + body)).toMatch(/^HTTP\/1\.1 200 .*"seq":1/s);
  });

  it('lets running requests finish when it closes, and accepts no new ones', async () => {
    let release = (): void => undefined;
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    const { post, url, handler } = await start({
      send: async (all) => {
        await gate;
        return all.map(() => ({ kind: 'sent' }));
      },
    });
    const first = post(one);
    await until(() => handler.underWay === 1);
    const closed = open.server.close();
    await expect(fetch(url, { method: 'POST', body: one })).rejects.toThrow();
    release();
    const { status, headers } = await first;
    expect([status, headers.get('connection')]).toEqual([200, 'close']);
    await closed;
  });
});

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}

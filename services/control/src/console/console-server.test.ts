// The console's server on a real socket: by which names it answers, what the page may load, who may act, slow browsers.
import type { IncomingHttpHeaders } from 'node:http';
import { request } from 'node:http';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ConsoleServer } from './console-server.ts';

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

const acted: (readonly [token: string | undefined, body: unknown])[] = [];
const faults: unknown[] = [];
/** The next answer to `/api/history`. */
let history: string | undefined;
let skipped = 0;
let server: ConsoleServer;
let url: URL;

beforeAll(async () => {
  server = new ConsoleServer({
    host: '127.0.0.1',
    port: 0,
    allowedHosts: ['console.example.com', '.ops.example'],
    maxBrowsers: 2,
    files: new Map([['/', { bytes: Buffer.from('<h1>page</h1>'), contentType: 'text/html; charset=utf-8' }]]),
    view: () => '{"step":1}',
    history: (shards) => history ?? JSON.stringify(shards),
    silentMs: 500,
    act: async (token, body) => {
      acted.push([token, body]);
      return { status: 200, text: 'done' };
    },
    onSkipped: () => {
      skipped += 1;
    },
    onFault: (error) => faults.push(error),
  });
  url = new URL(await server.listen());
});
afterAll(async () => {
  await server.close();
  expect(faults).toEqual([]);
});

function ask(
  path: string,
  o: { method?: string; headers?: Readonly<Record<string, string>>; body?: string } = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const { method = 'GET', headers = {}, body } = o;
    const asked = request({ host: '127.0.0.1', port: url.port, path, method, headers }, (response) => {
      const pieces: Buffer[] = [];
      response.on('data', (piece: Buffer) => pieces.push(piece));
      response.on('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          body: Buffer.concat(pieces).toString(),
        }),
      );
    });
    asked.on('error', reject);
    asked.end(body);
  });
}

describe('the console', () => {
  it('answers with the page, the view and the history', async () => {
    expect(await ask('/')).toMatchObject({ status: 200, body: '<h1>page</h1>' });
    expect(await ask('/api/view')).toMatchObject({ status: 200, body: '{"step":1}' });
    const many = Array.from({ length: 50 }, (_, i) => `s${i}`).join(',');
    expect(JSON.parse((await ask(`/api/history?shards=${many}`)).body)).toHaveLength(12);
    expect(await ask('/', { method: 'HEAD' })).toMatchObject({ status: 200, body: '' });
  });

  it.each(['/../package.json', '/%2e%2e/package.json', '/console.js', '/api', '//etc/passwd'])(
    'has nothing at %s',
    async (path) => {
      expect((await ask(path)).status).toBe(404);
    },
  );

  it('lets the page load its own files and nothing else', async () => {
    const { headers } = await ask('/');
    const policy = String(headers['content-security-policy']);
    expect(policy).toContain("default-src 'none'");
    expect(policy).not.toMatch(/unsafe|https?:|\*/);
    expect(headers['access-control-allow-origin']).toBeUndefined();
  });

  it.each([
    ['rebound.example', /the name rebound\.example\. .* add rebound\.example to WEIR_CONSOLE_ALLOWED_HOSTS/],
    ['rebound.example:7704', /add rebound\.example to/],
    ['localhost.rebound.example', /add localhost\.rebound\.example to/],
    ['<b>', /a Host that is no name/],
  ])('tells nothing by the name %j, and says which setting allows it', async (host, text) => {
    for (const path of ['/', '/api/view', '/api/stream', '/api/history', '/api/act', '/nothing']) {
      const answer = await ask(path, { headers: { host } });
      expect([path, answer.status]).toEqual([path, 403]);
      expect(answer.body).toMatch(text);
    }
  });

  it.each(['10.0.0.1:7704', 'localhost', '[::1]:7704', 'console.example.com', 'a.ops.example:80'])(
    'answers by the name %j',
    async (host) => {
      expect((await ask('/api/view', { headers: { host } })).status).toBe(200);
    },
  );

  it('tells each browser the steps, as far as there is room', async () => {
    const heard: string[] = [];
    const browsers = [0, 1].map((n) => {
      const browser = request({ host: '127.0.0.1', port: url.port, path: '/api/stream' }, (response) => {
        response.on('data', (piece: Buffer) => {
          if (n === 0) heard.push(piece.toString());
        });
      });
      browser.on('error', () => undefined); // the test ends it
      return browser;
    });
    for (const browser of browsers) browser.end();
    await until(() => server.browsers === 2);
    expect((await ask('/api/stream')).status).toBe(503);
    server.tell('{"step":2}');
    await until(() => heard.join('').includes('event: view\ndata: {"step":2}\n\n'));
    expect(heard.join('')).toContain('data: {"step":1}');
    for (const browser of browsers) browser.destroy();
    await until(() => server.browsers === 0);
  });

  it('tells a browser that does not read nothing more, and keeps little for it', async () => {
    const socket = connect(Number(url.port), '127.0.0.1');
    socket.write('GET /api/stream HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n');
    socket.pause();
    await until(() => server.browsers === 1);
    for (let i = 0; i < 400; i++) server.tell('x'.repeat(100_000));
    expect(skipped).toBeGreaterThan(100);
    // It is closed by the console: others find room.
    await until(() => server.browsers === 0);
    socket.destroy();
  });

  it('keeps no more for browsers that do not read their answers than a few hours', async () => {
    history = 'x'.repeat(8_000_000);
    const sockets = Array.from({ length: 10 }, () => {
      const socket = connect(Number(url.port), '127.0.0.1');
      socket.on('error', () => undefined); // the console closes it
      socket.write('GET /api/history HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n');
      socket.pause();
      return socket;
    });
    try {
      await until(async () => (await ask('/api/history')).status === 503);
      // They are closed after a while.
      await until(async () => (await ask('/api/history')).status === 200);
    } finally {
      history = undefined;
      for (const socket of sockets) socket.destroy();
    }
  });
});

describe('a request to act', () => {
  const json = { 'content-type': 'application/json' };
  const post = (headers: Readonly<Record<string, string>>, body = '{"act":"rebalance"}'): Promise<Answer> =>
    ask('/api/act', { method: 'POST', headers, body });

  it('reaches the actions with its token', async () => {
    const origin = url.origin;
    expect(await post({ ...json, origin, authorization: 'Bearer secret' })).toMatchObject({
      status: 200,
      body: '{"text":"done"}',
    });
    await post(json, 'no JSON');
    expect(acted.splice(0)).toEqual([
      ['secret', { act: 'rebalance' }],
      [undefined, undefined],
    ]);
  });

  it('may name the charset of its JSON', async () => {
    const headers = { 'content-type': 'application/json; charset=utf-8', authorization: 'Bearer secret' };
    expect((await post(headers)).status).toBe(200);
    expect((await post({ 'content-type': 'application/jsonp' })).status).toBe(403);
    expect(acted.splice(0)).toEqual([['secret', { act: 'rebalance' }]]);
  });

  it('that ends in the middle is no fault of the console', async () => {
    const socket = connect(Number(url.port), '127.0.0.1');
    socket.write('POST /api/act HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n');
    socket.end('Content-Length: 100\r\n\r\n{"act":');
    socket.resume();
    await new Promise((resolve) => socket.on('close', resolve));
    expect((await ask('/api/view')).status).toBe(200);
    expect([acted, faults]).toEqual([[], []]);
  });

  it('of another page, of another kind or of another size does not', async () => {
    expect((await post({ ...json, origin: 'https://elsewhere.example' })).status).toBe(403);
    expect((await post({ ...json, origin: 'null' })).status).toBe(403);
    expect((await post({ 'content-type': 'text/plain' })).status).toBe(403);
    expect((await post(json, 'x'.repeat(2_000))).status).toBe(413);
    expect((await ask('/api/act')).status).toBe(405);
    expect((await ask('/api/view', { method: 'DELETE' })).status).toBe(405);
    expect(acted).toEqual([]);
  });
});

async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 5));
}

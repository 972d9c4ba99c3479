// The page's server on a real socket: by which names it answers, and what the page may load.
import type { IncomingMessage } from 'node:http';
import { request } from 'node:http';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PageServer } from './serve-page.ts';
import { servePage } from './serve-page.ts';

let server: PageServer;
const orders: string[] = [];
const folder = fileURLToPath(new URL('../../page', import.meta.url));

beforeAll(async () => {
  const config = { router: 'ws://127.0.0.1:1/v1/connect', channels: ['lobby'] };
  server = await servePage({
    port: 0,
    folder,
    sdk: `${folder}/page.js`,
    config: () => Promise.resolve(config),
    live: () => ({
      watch: (tell) => {
        tell('view', { now: 1 });
        return () => {};
      },
      act: async (body) => {
        orders.push(body);
        return { status: 202, body: {} };
      },
    }),
  });
});

afterAll(() => server.close());

function ask(path: string, host: string): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const { port } = server;
    request({ host: '127.0.0.1', port, path, headers: { host } }, (answer) => resolve(answer.resume()))
      .on('error', reject)
      .end();
  });
}

describe('the local page', () => {
  it.each(['127.0.0.1', 'localhost', 'LOCALHOST:7700', '[::1]:7700', '127.0.0.1:80'])(
    'answers to %s',
    async (host) => {
      for (const path of ['/', '/config.json']) expect((await ask(path, host)).statusCode).toBe(200);
    },
  );

  it.each([
    'rebound.example',
    'rebound.example:7700',
    'localhost.rebound.example',
    '127.0.0.1.rebound.example',
    'localhost.',
    'localhost:7700@rebound.example',
    '127.0.0.1:7700:x',
    '10.0.0.1',
    '::1',
    ':7700',
  ])('tells nothing by the name %j', async (host) => {
    for (const path of ['/', '/config.json', '/weir.js', '/nothing'])
      expect((await ask(path, host)).statusCode).toBe(403);
  });

  it('lets the page load its own files, speak to router and shards, and nothing else', async () => {
    const { headers } = await ask('/', 'localhost');
    const policy = String(headers['content-security-policy']).split('; ');
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("script-src 'self'");
    expect(policy).toContain("connect-src 'self' ws://127.0.0.1:* ws://localhost:*");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy.join()).not.toContain('unsafe');
  });

  it('lets pages of other origins import the SDK, and read nothing else', async () => {
    const sdk = (await ask('/weir.js', 'localhost')).headers;
    expect(sdk['access-control-allow-origin']).toBe('*');
    expect(sdk['cross-origin-resource-policy']).toBe('cross-origin');
    const config = (await ask('/config.json', 'localhost')).headers;
    expect(config['access-control-allow-origin']).toBeUndefined();
    expect(config['cross-origin-resource-policy']).toBe('same-origin');
  });
});

describe('what is alive behind the page', () => {
  const body = '{"do":"goal"}';

  async function tokenOf(): Promise<string> {
    const config: { readonly token: string } = await (await fetch(`${server.url}/config.json`)).json();
    return config.token;
  }
  async function order(headers: Readonly<Record<string, string>>, method = 'POST'): Promise<number> {
    const own = { origin: server.url, 'content-type': 'application/json', 'x-weir-token': await tokenOf() };
    const sent = method === 'GET' ? {} : { body };
    return (await fetch(`${server.url}/do`, { method, headers: { ...own, ...headers }, ...sent })).status;
  }

  it('does what the page itself asks for', async () => {
    expect(await order({})).toBe(202);
    expect(orders).toEqual([body]);
  });

  it.each<[Readonly<Record<string, string>>, number, string?]>([
    [{ origin: 'http://rebound.example' }, 403],
    [{ origin: 'http://127.0.0.1:1' }, 403],
    [{ origin: 'null' }, 403],
    [{ 'x-weir-token': 'x' }, 403],
    [{ 'content-type': 'text/plain' }, 415],
    [{}, 405, 'GET'],
  ])('refuses %o with %i', async (headers, status, method) => {
    const before = orders.length;
    expect(await order(headers, method)).toBe(status);
    expect(orders).toHaveLength(before);
  });

  it('tells only what has the token', async () => {
    expect((await fetch(`${server.url}/events`)).status).toBe(403);
    const events = await fetch(`${server.url}/events?token=${await tokenOf()}`);
    expect(events.headers.get('content-type')).toBe('text/event-stream');
    const { value } = (await events.body?.getReader().read()) ?? {};
    expect(Buffer.from(value ?? []).toString()).toBe('event: view\ndata: {"now":1}\n\n');
  });
});

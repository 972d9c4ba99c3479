import { request } from 'node:http';
import type { Registry } from 'prom-client';
import { afterEach, describe, expect, it } from 'vitest';
import type { AdminOptions, AdminServer, Health } from './admin.ts';
import { startAdmin } from './admin.ts';
import { createLogger } from './logging/logger.ts';
import { createMetricsRegistry } from './metrics/registry.ts';

const registry: Registry = createMetricsRegistry({ service: 'test', version: '1.2.3' });
const logger = createLogger({ service: 'test', level: 'silent' });
let server: AdminServer | undefined;
afterEach(async () => {
  await server?.close();
  server = undefined;
});

async function start(options: Partial<AdminOptions> = {}): Promise<string> {
  const health = (): Health => ({ ready: true, reasons: [] });
  server = await startAdmin({ host: '127.0.0.1', port: 0, registry, health, logger, ...options });
  return `http://127.0.0.1:${server.port}`;
}

function statusOf(
  url: string,
  options: {
    readonly method?: string;
    readonly path?: string;
    readonly pad?: number;
    readonly headers?: Readonly<Record<string, string>>;
  },
) {
  return new Promise<number | string>((resolve) => {
    const pad = options.pad === undefined ? {} : { 'x-pad': 'a'.repeat(options.pad) };
    const headers = { ...options.headers, ...pad };
    const sent = request(url, { ...options, headers }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    sent.on('error', (error) => resolve(error.message));
    sent.end();
  });
}

describe('startAdmin', () => {
  it('serves metrics with the build', async () => {
    const response = await fetch(`${await start()}/metrics?x=y`);
    expect(response.headers.get('content-type')).toContain('text/plain; version=0.0.4');
    expect(await response.text()).toMatch(
      /weir_build_info\{service="test",version="1\.2\.3",node="[\d.]+"\} 1/,
    );
  });

  it('produces a streamed answer as fast as it is read, and stops when the reader leaves', async () => {
    let made = 0;
    let ended = false;
    function* pieces(): Generator<Uint8Array> {
      try {
        for (; made < 1_000; made++) yield Buffer.alloc(65_536, 'x');
      } finally {
        ended = true;
      }
    }
    const url = await start({
      routes: {
        '/long': () => ({ status: 200, contentType: 'text/plain', body: pieces() }),
        '/short': () => ({
          status: 200,
          contentType: 'text/plain',
          body: [Buffer.from('a'), Buffer.from('b')],
        }),
      },
    });
    expect(await (await fetch(`${url}/short`)).text()).toBe('ab');
    expect(await (await fetch(`${url}/short`, { method: 'HEAD' })).text()).toBe('');
    const reading = await fetch(`${url}/long`);
    await reading.body?.cancel();
    while (!ended) await new Promise((resolve) => setImmediate(resolve));
    expect(made).toBeLessThan(1_000);
  });

  it('accepts DELETE only on routes that have it', async () => {
    const removed = { status: 200, contentType: 'text/plain', body: 'gone' };
    const url = await start({ removals: { '/kept': () => removed } });
    expect(await (await fetch(`${url}/kept`, { method: 'DELETE' })).text()).toBe('gone');
    const elsewhere = await fetch(`${url}/metrics`, { method: 'DELETE' });
    expect([elsewhere.status, elsewhere.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
    const post = await fetch(`${url}/kept`, { method: 'POST', body: 'x' });
    expect([post.status, post.headers.get('allow')]).toEqual([405, 'GET, HEAD, DELETE']);
    expect((await fetch(`${url}/kept`)).status).toBe(404);
  });

  it('answers liveness while it runs, and readiness from the given function', async () => {
    let ready = false;
    const health = (): Health => ({ ready, reasons: ready ? [] : ['catching up'], info: { seq: 5 } });
    const url = await start({ health });
    const unready = await fetch(`${url}/readyz`);
    expect([unready.status, await unready.json()]).toEqual([
      503,
      { ready: false, reasons: ['catching up'], info: { seq: 5 } },
    ]);
    ready = true;
    expect((await fetch(`${url}/readyz`)).status).toBe(200);
    expect((await fetch(`${url}/livez`)).status).toBe(200);
  });

  it('serves further routes, which cannot replace its own', async () => {
    const body = { status: 200, contentType: 'application/json', body: '{}' };
    const url = await start({
      routes: { '/v1/shards': async () => body, '/livez': () => ({ ...body, status: 418 }) },
    });
    expect(await (await fetch(`${url}/v1/shards`)).json()).toEqual({});
    expect((await fetch(`${url}/livez`)).status).toBe(200);
  });

  it('refuses other methods, unknown paths and large headers', async () => {
    const url = await start();
    const post = await fetch(`${url}/metrics`, { method: 'POST' });
    expect([post.status, post.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
    expect(await statusOf(url, { method: 'HEAD', path: '/metrics' })).toBe(200);
    for (const path of ['/', '/metrics/', '//metrics', '/%6detrics', '/__proto__', '/constructor']) {
      expect(await statusOf(url, { path }), path).toBe(404);
    }
    expect(await statusOf(url, { path: '/livez', pad: 8_000 })).toBe(431);
  });

  it.each(['GET', 'DELETE'])(
    'answers %s of a route with data by no name that another site can have',
    async (method) => {
      const answer = { status: 200, contentType: 'text/plain', body: 'values' };
      const url = await start({ routes: { '/kept': () => answer }, removals: { '/kept': () => answer } });
      const by = (host: string, path: string): Promise<number | string> =>
        statusOf(url, { method, path, headers: { host } });
      expect(await by('rebound.example:9090', '/kept')).toBe(403);
      expect(await by('10.0.0.1:9090', '/kept')).toBe(200);
      expect(await by('localhost', '/kept')).toBe(200);
    },
  );

  it('answers metrics and health by every name', async () => {
    const url = await start();
    for (const path of ['/metrics', '/livez', '/readyz'])
      expect(await statusOf(url, { path, headers: { host: 'weir-1.example.com:9090' } }), path).toBe(200);
  });

  it('answers 500 if a route throws, and keeps running', async () => {
    const health = (): Health => {
      throw new Error('broken');
    };
    const url = await start({ health });
    expect((await fetch(`${url}/readyz`)).status).toBe(500);
    expect((await fetch(`${url}/livez`)).status).toBe(200);
  });

  it('reports an address on which it cannot listen', async () => {
    const url = new URL(await start());
    const second = startAdmin({
      host: '127.0.0.1',
      port: Number(url.port),
      registry,
      health: () => ({ ready: true, reasons: [] }),
      logger,
    });
    await expect(second).rejects.toThrow(`the admin server cannot listen on 127.0.0.1 port ${url.port}`);
  });
});

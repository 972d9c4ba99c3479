// The page's server on a real socket: by which names it answers, and what the page may load.
import type { IncomingMessage } from 'node:http';
import { request } from 'node:http';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PageServer } from './serve-page.ts';
import { servePage } from './serve-page.ts';

let server: PageServer;
const folder = fileURLToPath(new URL('../../page', import.meta.url));

beforeAll(async () => {
  const config = { router: 'ws://127.0.0.1:1/v1/connect', channels: ['lobby'] };
  server = await servePage({
    port: 0,
    folder,
    sdk: `${folder}/page.js`,
    config: () => Promise.resolve(config),
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

// A real browser on a real cluster: user tokens as subprotocols, https pages behind a proxy that ends TLS, and the
// origins that browsers send. Skipped by name without Chromium, or without openssl for the certificate.
import { execFileSync } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import type { Server } from 'node:http';
import { createServer } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { connect as connectTcp } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { createServer as createTlsServer } from 'node:tls';
import type { NatsConnection } from '@nats-io/transport-node';
import { connect as connectNats } from '@nats-io/transport-node';
import type { Browser, Page } from 'playwright-core';
import { chromium } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePort } from '../../harness/free-port.ts';
import { expectSound } from '../../harness/oracle.ts';
import type { Service } from '../../harness/small-cluster.ts';
import { SmallCluster, until } from '../../harness/small-cluster.ts';

const executablePath = process.env['WEIR_CHROMIUM'] ?? '/usr/bin/chromium';
const flags = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--ignore-certificate-errors',
];
const sdk = new URL('../../../packages/client/dist/weir.js', import.meta.url);

function whyNot(): string | undefined {
  if (!existsSync(executablePath)) return `no ${executablePath}`;
  try {
    execFileSync('openssl', ['version'], { stdio: 'ignore' });
    return undefined;
  } catch {
    return 'no openssl';
  }
}

const secret = 'a secret of the tests, of 32 bytes or more';

function userToken(filler: string): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const claims = { sub: 'me', channels: ['lobby'], exp: Math.floor(Date.now() / 1_000) + 600, filler };
  const signed = `${part({ alg: 'HS256' })}.${part(claims)}`;
  return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`;
}

const listening = async (server: Server | ReturnType<typeof createTlsServer>): Promise<number> => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
};

/** Calls `new WebSocket(url, protocols)` in a page: the messages it gets, and how it ends. */
const dial = `(url, protocols) => new Promise((resolve) => {
  try {
    const ws = new WebSocket(url, protocols);
    let protocol, said;
    ws.onopen = () => { protocol = ws.protocol; };
    ws.onmessage = ({ data }) => { said = JSON.parse(data).type; };
    ws.onclose = ({ code, reason }) => resolve({ protocol, said, code, reason });
  } catch (error) { resolve({ error: error.name }); }
})`;

const reason = whyNot();

describe.skipIf(reason !== undefined)(
  `in Chromium${reason === undefined ? '' : ` (skipped: ${reason})`}`,
  () => {
    let browser: Browser;
    let folder: string;
    let tls: { key: Buffer; cert: Buffer };
    const servers: { close(): unknown }[] = [];

    beforeAll(async () => {
      folder = mkdtempSync(join(tmpdir(), 'weir-browser-'));
      const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
      const about = ['-days', '2', '-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'];
      const kind = ['-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
      execFileSync('openssl', ['req', ...kind, '-keyout', key, '-out', cert, ...about], { stdio: 'ignore' });
      tls = { key: readFileSync(key), cert: readFileSync(cert) };
      browser = await chromium.launch({ executablePath, args: flags });
    });
    afterAll(async () => {
      await browser?.close();
      for (const server of servers) server.close();
      rmSync(folder, { recursive: true, force: true });
    });

    /** A page with only the SDK. */
    async function pageOf(origin: 'http' | 'https'): Promise<{ page: Page; origin: string }> {
      const serve: Parameters<typeof createServer>[1] = (request, response) => {
        const isSdk = request.url === '/weir.js';
        response.setHeader('content-type', isSdk ? 'text/javascript' : 'text/html');
        response.end(isSdk ? readFileSync(sdk) : '<!doctype html><title>page</title>');
      };
      const server = origin === 'http' ? createServer(serve) : createHttpsServer(tls, serve);
      const port = await listening(server);
      servers.push(server);
      const page = await browser.newPage();
      await page.goto(`${origin}://localhost:${port}/`);
      return { page, origin: `${origin}://localhost:${port}` };
    }

    const dialled = (page: Page, url: string, protocols: readonly string[]): Promise<unknown> =>
      page.evaluate(`(${dial})(${JSON.stringify(url)}, ${JSON.stringify(protocols)})`);

    it('a token as a subprotocol, in any order and of 6 KB, and never alone (case D4)', async () => {
      const cluster = await SmallCluster.start(
        { WEIR_LOG_LEVEL: 'debug' },
        { WEIR_AUTH: 'jwt', WEIR_JWT_SECRET: secret },
      );
      try {
        const shard = await cluster.shard('desktop', 'desktop-1');
        const { page } = await pageOf('http');
        const url = `${cluster.routerUrl}/v1/connect?channels=lobby`;
        const large = userToken('x'.repeat(4_500));
        expect(large.length).toBeGreaterThan(6_000);
        const small = userToken('');
        const good = { protocol: 'weir.v1', said: 'redirect', code: 4001 };
        for (const token of [small, large]) {
          expect(await dialled(page, url, ['weir.v1', `weir.token.${token}`])).toMatchObject(good);
          expect(await dialled(page, url, [`weir.token.${token}`, 'weir.v1'])).toMatchObject(good);
          // A browser hides the HTTP answer; the router's own tests check its text.
          expect(await dialled(page, url, [`weir.token.${token}`])).toMatchObject({ code: 1006 });
        }
        // Base64 padding is not allowed in a token: a browser rejects it as a subprotocol.
        expect(await dialled(page, url, ['weir.v1', `weir.token.${small}=`])).toEqual({
          error: 'SyntaxError',
        });
        expect(await dialled(page, url, ['weir.v1', `weir.token.${small}x`])).toMatchObject({ code: 4500 });
        expect(await dialled(page, url, ['weir.v1'])).toMatchObject({ code: 4500 });
        for (const service of [cluster.router, shard]) {
          const told = service.log.join() + (await (await fetch(`${service.admin}/metrics`)).text());
          for (const token of [small, large]) expect(told.includes(token.slice(-40))).toBe(false);
        }
        await page.close();
        expectSound(cluster.running);
      } finally {
        await cluster.stop();
      }
    });

    it('origins: exactly the configured ones are accepted (case G9)', async () => {
      const { page, origin } = await pageOf('http');
      const stranger = await pageOf('http');
      const cluster = await SmallCluster.start({}, { WEIR_ALLOWED_ORIGINS: origin });
      try {
        await cluster.shard('desktop', 'desktop-1');
        const url = `${cluster.routerUrl}/v1/connect?channels=lobby`;
        expect(await dialled(page, url, ['weir.v1'])).toMatchObject({ said: 'redirect', code: 4001 });
        // Another port is another origin, and a sandboxed frame sends `null`.
        expect(await dialled(stranger.page, url, ['weir.v1'])).toMatchObject({ code: 4503 });
        const opaque = await stranger.page.evaluate(`new Promise((resolve) => {
        addEventListener('message', ({ data, origin }) => resolve({ ...data, origin }));
        const frame = document.createElement('iframe');
        frame.sandbox = 'allow-scripts';
        frame.srcdoc = '<script>(' + ${JSON.stringify(dial)} + ')("${url}", ["weir.v1"])' +
          '.then((end) => parent.postMessage(end, "*"))</' + 'script>';
        document.body.append(frame);
      })`);
        expect(opaque).toMatchObject({ origin: 'null', code: 4503, reason: expect.stringMatching(/origin/) });
      } finally {
        await cluster.stop();
        await page.close();
        await stranger.page.close();
      }
    });

    describe('an https page, with a proxy that ends TLS for router and shards', () => {
      let cluster: SmallCluster;
      let nats: NatsConnection;

      /** Ends TLS like an ingress, and says so in the usual header. */
      async function ingress(port: () => number): Promise<number> {
        const server = createTlsServer(tls, (near: TLSSocket) => {
          near.on('error', () => undefined);
          near.once('data', (request) => {
            const far = connectTcp(port(), '127.0.0.1');
            const text = request.toString('latin1');
            far.write(text.replace('\r\n', '\r\nX-Forwarded-Proto: https\r\n'), 'latin1');
            for (const socket of [near, far]) {
              socket.on('error', () => undefined);
              socket.on('close', () => {
                near.destroy();
                far.destroy();
              });
            }
            near.pipe(far).pipe(near);
          });
        });
        servers.push(server);
        return listening(server);
      }

      afterAll(async () => {
        await nats?.close();
        await cluster?.stop();
      });

      it('connects, is moved, and never sees ws:// (case G1)', async () => {
        let routerPort = 0;
        const front = await ingress(() => routerPort);
        const publicUrl = `wss://localhost:${front}/live`;
        cluster = await SmallCluster.start(
          {},
          { WEIR_TRUSTED_PROXIES: '127.0.0.0/8', WEIR_PUBLIC_URL: publicUrl },
        );
        routerPort = Number(new URL(cluster.routerUrl).port);
        const shard = async (id: string): Promise<Service> => {
          const port = await freePort();
          const behind = await ingress(() => Number(port));
          // The shard's own address has no TLS: the proxy ends it.
          return cluster.shard('desktop', id, {
            WEIR_PORT: port,
            WEIR_PUBLIC_URL: `ws://localhost:${behind}`,
            WEIR_ROUTER_URL: publicUrl,
          });
        };
        const leaving = await shard('desktop-1');
        nats = await connectNats({ servers: cluster.nats.url });
        nats.publish('weir.state.lobby.slot', '1');
        const { page } = await pageOf('https');
        await page.evaluate(`import('/weir.js').then(({ connect }) => {
        globalThis.urls = [];
        const Plain = WebSocket;
        class Seen extends Plain { constructor(url, protocols) { super(url, protocols); urls.push(url); } }
        globalThis.weir = connect({ url: ${JSON.stringify(`${publicUrl}/v1/connect`)}, channels: ['lobby'], WebSocket: Seen });
        globalThis.moves = 0;
        weir.on('move', () => { moves++; });
      })`);
        const holds = (expression: string, what: string): Promise<void> =>
          until(async () => (await page.evaluate(expression)) === true, what).catch(async (error) => {
            const state = await page.evaluate('JSON.stringify([weir.status, weir.info, urls])');
            throw new Error(`${what}: ${state}`, { cause: error });
          });
        await holds(
          `weir.status === 'open' && weir.channel('lobby').state.get('slot') === 1`,
          'it is served',
        );
        await shard('desktop-2');
        leaving.process.kill('SIGTERM');
        await holds(`weir.info.shard === 'desktop-2'`, 'it has moved');
        nats.publish('weir.state.lobby.slot', '2');
        await holds(`weir.channel('lobby').state.get('slot') === 2`, 'it is served there');
        const urls = await page.evaluate<string[]>('urls');
        expect(urls.map((url) => new URL(url).protocol)).toEqual(urls.map(() => 'wss:'));
        // Router, shard; then the move: its URL with base path leads to the router, and from there to the other shard.
        expect(urls.map((url) => new URL(url).pathname)).toEqual([
          '/live/v1/connect',
          '/v1/stream',
          '/live/v1/connect',
          '/v1/stream',
        ]);
        await page.close();
        expectSound(cluster.running);
      });
    });
  },
);

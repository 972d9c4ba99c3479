// The life of a page in Chromium: left and restored by the Back button, offline and online, hidden and visible, and
// blocked by its own content security policy. Against a scripted cluster with real sockets.
import { existsSync, readFileSync } from 'node:fs';
import type { Server } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Browser, Page } from 'playwright-core';
import { chromium } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ScriptedCluster } from '../../harness/scripted-cluster.ts';
import { until } from '../../harness/small-cluster.ts';

const executablePath = process.env['WEIR_CHROMIUM'] ?? '/usr/bin/chromium';
const isThere = existsSync(executablePath);
const flags = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run'];
const sdk = new URL('../../../packages/client/dist/weir.js', import.meta.url);
/** Longer than this test runs: a client that reconnects earlier did not wait. */
const never = { spreadMs: 3_600_000, baseMs: 3_600_000, capMs: 3_600_000 };

describe.skipIf(!isThere)(`a page in Chromium${isThere ? '' : ` (skipped: no ${executablePath})`}`, () => {
  let cluster: ScriptedCluster;
  let browser: Browser;
  let server: Server;
  let site: string;
  let page: Page;
  const warnings: string[] = [];

  beforeAll(async () => {
    // Playwright disables the back/forward cache.
    const ignoreDefaultArgs = ['--disable-back-forward-cache'];
    browser = await chromium.launch({ executablePath, args: flags, ignoreDefaultArgs });
    server = createServer((request, response) => {
      const isSdk = request.url === '/weir.js';
      if (request.url === '/strict')
        response.setHeader('content-security-policy', "connect-src 'self'; script-src 'self' 'unsafe-eval'");
      response.setHeader('content-type', isSdk ? 'text/javascript' : 'text/html');
      response.end(isSdk ? readFileSync(sdk) : '<!doctype html><title>page</title>');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    site = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(async () => {
    await browser?.close();
    server?.closeAllConnections();
    server?.close();
  });
  beforeEach(async () => {
    warnings.length = 0;
    cluster = await ScriptedCluster.start();
    cluster.set('lobby', { k: 1 });
    page = await browser.newPage();
    page.on('console', (message) => {
      if (message.type() === 'warning') warnings.push(message.text());
    });
  });
  afterEach(async () => {
    await page.close();
    await cluster.stop();
  });

  const holds = (expression: string): Promise<void> =>
    until(async () => (await page.evaluate(expression)) === true, expression);

  async function opened(path = '/', more: object = {}): Promise<void> {
    const options = { url: cluster.url, channels: ['lobby'], reconnect: never, ...more };
    await page.goto(site + path);
    await page.evaluate(`import('/weir.js').then(({ connect }) => {
      globalThis.weir = connect(${JSON.stringify(options)});
      globalThis.persisted = undefined;
      addEventListener('pageshow', (event) => { persisted = event.persisted; });
    })`);
  }
  async function served(): Promise<void> {
    await opened();
    await holds(`weir.channel('lobby').state.get('k') === 1`);
  }

  it('closes its connection when left, and resumes when Back restores it from the cache', async () => {
    await served();
    await page.goto(`${site}/other`);
    await until(() => cluster.streams.size === 0, 'the stream is closed');
    cluster.set('lobby', { k: 2 });
    cluster.critical('lobby', 'missed');
    await page.goBack({ waitUntil: 'commit' });
    await holds(`persisted === true && weir.status === 'open'`);
    await holds(`weir.channel('lobby').state.get('k') === 2`);
    expect(cluster.resumes).toEqual([null, expect.stringMatching(/^\d+\.\d+$/)]);
  });

  it('reconnects at once when the network is back', async () => {
    await served();
    cluster.cutStreams();
    await holds(`weir.status === 'waiting'`);
    await page.context().setOffline(true);
    await page.context().setOffline(false);
    await holds(`weir.status === 'open'`);
  });

  it('reconnects at once when it becomes visible', async () => {
    await served();
    cluster.cutStreams();
    await holds(`weir.status === 'waiting'`);
    await page.evaluate(`document.dispatchEvent(new Event('visibilitychange', { bubbles: true }))`);
    await holds(`weir.status === 'open'`);
  });

  it('logs advice to the console if its own policy forbids the connection', async () => {
    await opened('/strict', { reconnect: { spreadMs: 0, baseMs: 0, capMs: 0 } });
    await until(() => warnings.length > 0, 'a warning');
    expect(warnings.filter((text) => text.startsWith('weir:'))).toEqual([
      expect.stringMatching(/3 tries.*router.*connect-src/),
    ]);
    expect(cluster.visits).toEqual([]);
  });
});

// The demo page and the SDK's browser bundle in Chromium, against a scripted cluster, with a strict content security
// policy. Skipped by name without Chromium.
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Browser, Page } from 'playwright-core';
import { chromium } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { ScriptedCluster } from '../../harness/scripted-cluster.ts';

const executablePath = process.env['WEIR_CHROMIUM'] ?? '/usr/bin/chromium';
const isThere = existsSync(executablePath);
const flags = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];
const CSP =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; connect-src 'self' ws://127.0.0.1:* ws://localhost:*; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
const types: Readonly<Record<string, string>> = { html: 'text/html', js: 'text/javascript', css: 'text/css' };
const root = new URL('../../../', import.meta.url);
const eventually = (check: () => Promise<void>): Promise<void> =>
  vi.waitFor(check, { timeout: 15_000, interval: 50 });

describe.skipIf(!isThere)(`in Chromium${isThere ? '' : ` (skipped: no ${executablePath})`}`, () => {
  let cluster: ScriptedCluster;
  let browser: Browser;
  let site: string;
  const complaints: string[] = [];
  const server = createServer(async (request, response) => {
    const [asked = '/'] = (request.url ?? '/').split('?');
    const path = asked === '/' ? '/index.html' : asked;
    response.setHeader('Content-Security-Policy', CSP);
    try {
      const config = JSON.stringify({ router: cluster.url, channels: ['lobby'] });
      const file = path === '/weir.js' ? 'packages/client/dist/weir.js' : `local/page${path}`;
      const body = path === '/config.json' ? config : await readFile(new URL(file, root));
      response.setHeader('Content-Type', types[path.split('.').at(-1) ?? ''] ?? 'application/json');
      response.end(body);
    } catch {
      response.writeHead(404).end();
    }
  });

  beforeAll(async () => {
    cluster = await ScriptedCluster.start();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    site = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    browser = await chromium.launch({ executablePath, args: flags });
  });
  afterAll(async () => {
    await browser?.close();
    await cluster.stop();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  async function opened(query = ''): Promise<Page> {
    const page = await browser.newPage({ viewport: { width: 1_200, height: 900 } });
    page.on('console', (message) => {
      if (message.type() === 'error') complaints.push(message.text());
    });
    page.on('pageerror', (error) => complaints.push(String(error)));
    await page.goto(`${site}${query}`);
    return page;
  }
  const text = (page: Page, id: string): Promise<string> => page.locator(`#${id}`).textContent().then(String);

  it('without a stage shows the channels that its URL names: newest values and frames', async () => {
    cluster.set('lobby', { 'table-1': { game: 'roulette', players: 5 }, news: 'open' });
    const page = await opened('?channels=lobby');
    await eventually(async () => expect(await text(page, 'state')).toContain('"players":5'));
    expect(await text(page, 'listening')).toBe('Listening (pool desktop, a).');
    expect(await page.locator('#lines').isVisible()).toBe(false);
    cluster.critical('lobby', { slot: 'slot-7', player: '<b>Ann</b>' });
    cluster.delete('lobby', 'news');
    cluster.sayPosition();
    cluster.move('b');
    await eventually(async () => {
      expect(await text(page, 'state')).not.toContain('open');
      expect(await text(page, 'frames')).toContain('<b>Ann</b>');
      expect(await text(page, 'listening')).toContain(', b)');
    });
    await page.fill('#channels', 'other');
    await page.keyboard.press('Enter');
    await eventually(async () => expect(await text(page, 'state')).toBe(''));
    expect(page.url()).toContain('?channels=other');
    await page.fill('#channels', 'no/name');
    await page.keyboard.press('Enter');
    expect(await text(page, 'listening')).toContain('no/name is no name of a channel');
    expect(complaints).toEqual([]);
    await page.close();
  });

  it('offers lines to copy for what the form has', async () => {
    const page = await opened();
    await page.fill('#data', `{"it's":1}`);
    const lines = await text(page, 'snippets');
    expect(lines).toContain(`-d '{"lane":"state","channel":"hello","key":"greeting","data":{"it'\\''s":1}}'`);
    expect(lines).toContain(`weir-publish state hello greeting '{"it'\\''s":1}'`);
    await page.fill('#key', "O'Neill 1.5");
    const anyKey = await text(page, 'snippets');
    expect(anyKey).toContain(`"keyText":"O'\\''Neill 1.5","data"`);
    expect(anyKey).toContain(`weir-publish state hello --escape-key 'O'\\''Neill 1.5' '{`);
    expect(anyKey).not.toContain('nats --server');
    await page.selectOption('#lane', 'critical');
    expect(await text(page, 'snippets')).toContain('pub weir.critical.hello ');
    await page.close();
  });

  it('accepts keys named like object members (case A5)', async () => {
    const keys = ['__proto__', 'constructor', 'toString', 'hasOwnProperty', '10', '-', '_'];
    cluster.set('lobby', { 'slot-1': { active: true } });
    const page = await opened('?channels=lobby');
    await eventually(async () => expect(await text(page, 'state')).toContain('slot-1'));
    cluster.say(
      `{"type":"state","channel":"lobby","set":{${keys.map((key) => `${JSON.stringify(key)}:{"polluted":1}`).join()}}}`,
    );
    const shown = (): Promise<readonly string[]> => page.locator('#state b').allTextContents();
    await eventually(async () => expect(await shown()).toEqual(expect.arrayContaining(keys)));
    expect(await page.evaluate('({}).polluted')).toBeUndefined();
    expect(complaints).toEqual([]);
    await page.close();
  });

  it('offers a token of 6 KB as a subprotocol (case D4)', async () => {
    const page = await opened();
    const token = `${'a'.repeat(3_000)}.${'b'.repeat(3_000)}.c`;
    await page.evaluate(`import('/weir.js').then(({ connect }) => {
      globalThis.weir = connect({ url: ${JSON.stringify(cluster.url)}, channels: ['lobby'], token: '${token}' });
    })`);
    await eventually(async () => expect(await page.evaluate('weir.status')).toBe('open'));
    // Not `toEqual`: a failure would print 6 KB.
    expect(cluster.visits.some(({ protocols }) => protocols.join() === `weir.v1,weir.token.${token}`)).toBe(
      true,
    );
    await page.close();
  });

  it('sees the messages that queued while it was frozen as a few events, and does not reconnect (case D9)', async () => {
    const page = await opened();
    await page.evaluate(`import('/weir.js').then(({ connect }) => {
      globalThis.calls = 0;
      globalThis.weir = connect({ url: ${JSON.stringify(cluster.url)}, channels: ['lobby'] });
      weir.channel('lobby').on('state', () => { calls++; });
    })`);
    await eventually(async () => expect(await page.evaluate('weir.status')).toBe('open'));
    const session = await page.context().newCDPSession(page);
    await session.send('Page.setWebLifecycleState', { state: 'frozen' });
    // Two minutes of messages, sent in a burst.
    for (let i = 0; i < 4_800; i++) cluster.set('lobby', { [`slot-${i % 200}`]: i });
    await session.send('Page.setWebLifecycleState', { state: 'active' });
    await eventually(async () =>
      expect(await page.evaluate(`weir.channel('lobby').state.get('slot-199')`)).toBe(4_799),
    );
    expect(await page.evaluate('calls')).toBeLessThanOrEqual(200);
    expect(await page.evaluate('weir.info.attempts')).toBe(1);
    await page.close();
  });
});

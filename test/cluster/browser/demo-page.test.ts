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
    const path = request.url === '/' ? '/index.html' : (request.url ?? '/');
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
  async function opened(viewport = { width: 1_200, height: 900 }): Promise<Page> {
    const page = await browser.newPage({ viewport });
    page.on('console', (message) => {
      if (message.type() === 'error') complaints.push(message.text());
    });
    page.on('pageerror', (error) => complaints.push(String(error)));
    await page.goto(site);
    return page;
  }
  const text = (page: Page, id: string): Promise<string> => page.locator(`#${id}`).textContent().then(String);

  it('shows connection, state, critical, cosmetics, gaps, moves', async () => {
    const slots = Array.from({ length: 24 }, (_, i) => [
      `slot-${i + 1}`,
      { active: i % 3 > 0, jackpot: 1_000 * i + 0.5 },
    ]);
    cluster.set('lobby', Object.fromEntries(slots));
    cluster.set('lobby', {
      'table-1': { game: 'roulette', players: 5 },
      'table-2': { game: 'blackjack', players: 2 },
      news: 'open',
    });
    const page = await opened();
    await eventually(async () => {
      expect(await text(page, 'status')).toBe('Connected');
      expect(await text(page, 'keys')).toBe('27');
    });
    expect(await text(page, 'pool')).toBe('desktop');
    expect(await text(page, 'rtt')).toBe('1.5 ms');
    expect(await text(page, 'kbps')).toBe('90 Mbit/s');
    cluster.critical('lobby', { slot: 'slot-7', won: 12_500, player: '<b>Ann</b>' });
    cluster.cosmetic('lobby', [{ effect: 'confetti', at: 'slot-7' }]);
    cluster.say({ type: 'gap', channel: 'lobby', lane: 'critical', after: 1 });
    cluster.delete('lobby', 'news');
    cluster.sayPosition();
    cluster.move('b');
    await eventually(async () => {
      expect(await text(page, 'shard')).toBe('b');
      expect(await text(page, 'moves')).toBe('1');
      expect(await text(page, 'gaps')).toBe('1');
      expect(await text(page, 'criticals')).toBe('1');
      expect(await text(page, 'cosmetics')).toBe('1');
      expect(await text(page, 'keys')).toBe('26');
    });
    expect(await text(page, 'critical')).toContain('player: <b>Ann</b>');
    const shots = process.env['WEIR_SCREENSHOTS'];
    if (shots !== undefined) {
      await page.screenshot({ path: `${shots}/desktop.png`, fullPage: true });
      const phone = await opened({ width: 360, height: 740 });
      await eventually(async () => expect(await text(phone, 'keys')).toBe('26'));
      await phone.screenshot({ path: `${shots}/phone.png`, fullPage: true });
      await phone.close();
    }
    expect(await page.evaluate('document.documentElement.scrollWidth <= innerWidth')).toBe(true);
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await eventually(async () => expect(await text(page, 'status')).toBe('Disconnected'));
    await page.keyboard.press('Enter');
    await eventually(async () => expect(await text(page, 'status')).toBe('Connected'));
    expect(complaints).toEqual([]);
    await page.close();
  });

  it('accepts keys named like object members (case A5)', async () => {
    const keys = ['__proto__', 'constructor', 'toString', 'hasOwnProperty', '10', '-', '_'];
    cluster.set('lobby', { 'slot-1': { active: true } });
    const page = await opened();
    // The status changes before the page shows the snapshot.
    await eventually(async () => expect(Number(await text(page, 'keys'))).toBeGreaterThan(0));
    expect(await text(page, 'status')).toBe('Connected');
    const before = Number(await text(page, 'keys'));
    cluster.say(
      `{"type":"state","channel":"lobby","set":{${keys.map((key) => `${JSON.stringify(key)}:{"polluted":1}`).join()}}}`,
    );
    await eventually(async () => expect(await text(page, 'keys')).toBe(String(before + keys.length)));
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

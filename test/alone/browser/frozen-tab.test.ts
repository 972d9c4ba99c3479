// Case D9 on a real shard: a page in Chromium that is frozen while two hundred keys change twenty times a second, and a
// page whose timers run once a minute. Skipped by name without Chromium.
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { Server } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Browser, Page } from 'playwright-core';
import { chromium } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectSound } from '../../harness/oracle.ts';
import { scale, seen } from '../../harness/scale.ts';
import { Scene } from '../../harness/scene.ts';
import { elapsed, until } from '../../harness/small-cluster.ts';

const executablePath = process.env['WEIR_CHROMIUM'] ?? '/usr/bin/chromium';
const isThere = existsSync(executablePath);
const flags = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run'];
const sdk = new URL('../../../packages/client/dist/weir.js', import.meta.url);
const KEYS = 200;
const FROZEN_MS = scale(8_000, 120_000);
/** The SDK's default minimum time between two state events. */
const CONFLATE_MS = 50;
const MAX_HEAP_MB = 20;

describe.skipIf(!isThere)(`in Chromium${isThere ? '' : ` (skipped: no ${executablePath})`}`, () => {
  let scene: Scene;
  let browser: Browser;
  let server: Server;
  let round = 0;

  beforeAll(async () => {
    // At full scale with the default lag limit: if the shard evicts the page meanwhile, the page must reconnect.
    scene = await Scene.start({ shard: scale({ WEIR_LAG_MS: '60000' }, {}) });
    browser = await chromium.launch({ executablePath, args: flags });
    server = createServer(async (request, response) => {
      const isScript = request.url === '/weir.js';
      response.setHeader('Content-Type', isScript ? 'text/javascript' : 'text/html');
      response.end(isScript ? await readFile(sdk) : '<!doctype html><title>page</title>');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    scene.every(50, (n) => {
      round = n;
      for (let i = 0; i < KEYS; i++) scene.nats.publish(`weir.state.lobby.k${i}`, String(n));
    });
  });

  afterAll(async () => {
    await browser?.close();
    server?.closeAllConnections();
    server?.close();
    await scene?.stop();
  });

  /** A page that receives state; `before` runs in it first. */
  async function fed(before = ''): Promise<Page> {
    const page = await browser.newPage();
    await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
    await page.evaluate(`${before};
      import('/weir.js').then(({ connect }) => {
        globalThis.events = [];
        globalThis.weir = connect({ url: ${JSON.stringify(scene.cluster.routerUrl)}, channels: ['lobby'] });
        weir.channel('lobby').on('state', () => {
          events.push(Math.min(...weir.channel('lobby').state.values()));
        });
      })`);
    await until(async () => (await shown(page)) > 0, 'the page is fed');
    return page;
  }

  /** The oldest value on the page; 0 until it has all keys. */
  const shown = async (page: Page): Promise<number> =>
    Number(
      await page.evaluate(`(() => {
        const state = globalThis.weir?.channel('lobby').state;
        return state?.size === ${KEYS} ? Math.min(...state.values()) : 0;
      })()`),
    );
  const number = async (page: Page, expression: string): Promise<number> =>
    Number(await page.evaluate(expression));

  it(
    'a page that wakes has the newest values at once, in few events, with no more memory (case D9)',
    async () => {
      const page = await fed();
      const devtools = await page.context().newCDPSession(page);
      const heapMb = async (): Promise<number> => {
        await devtools.send('HeapProfiler.collectGarbage');
        return (await devtools.send('Runtime.getHeapUsage')).usedSize / 1_000_000;
      };
      const heapBefore = await heapMb();
      const closesBefore = (await scene.numbers()).sum('weir_shard_closes_total');
      // A visible page cannot be frozen. A page stopped by a debugger does not run either, and its messages queue.
      const stopped = new Promise((resolve) => devtools.once('Debugger.paused', resolve));
      await devtools.send('Debugger.enable');
      await devtools.send('Debugger.pause');
      await stopped;
      const stoppedAt = round;
      await elapsed(FROZEN_MS);
      const newest = round;
      await devtools.send('Debugger.resume');
      const wokenMs = performance.now();
      await until(async () => (await shown(page)) >= newest, 'it shows what was published');
      const lateMs = performance.now() - wokenMs;
      const events = await number(
        page,
        `events.filter((oldest) => oldest > ${stoppedAt} && oldest < ${newest}).length`,
      );
      const grownMb = (await heapMb()) - heapBefore;
      const closes = (await scene.numbers()).sum('weir_shard_closes_total') - closesBefore;
      seen('D9', { 'ms until newest': lateMs, events, 'heap MB': grownMb, closes });
      // Holds even if this machine is slow to let the page work through its queue.
      expect(events).toBeLessThanOrEqual(Math.min(KEYS, lateMs / CONFLATE_MS + 3));
      expect(grownMb).toBeLessThan(MAX_HEAP_MB);
      // If the shard did not evict the page, the page did not reconnect.
      if (closes === 0) expect(await number(page, 'weir.info.attempts')).toBe(1);
      expect(await page.evaluate('weir.status')).toBe('open');
      await page.close();
      expectSound(scene.cluster.running);
    },
    scale(60_000, 300_000),
  );

  it('a page whose timers run once a minute is as fresh as others (case D9)', async () => {
    const page = await fed(`(() => {
      const { setTimeout } = globalThis;
      globalThis.setTimeout = (run, ms, ...rest) => setTimeout(run, ms > 0 ? Math.max(ms, 60_000) : 0, ...rest);
    })()`);
    for (let i = 0; i < 5; i++) {
      const newest = round;
      await until(async () => (await shown(page)) >= newest, 'it shows what is published');
    }
    expect(await number(page, 'weir.info.attempts')).toBe(1);
    await page.close();
  });
});

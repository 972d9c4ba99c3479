// Case D9 on a real shard: a page in Chromium that is frozen while two hundred keys change twenty times a second, and
// one whose timers run once a minute. Skipped by name where there is no Chromium.
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
/** The SDK's default: least time between two events of state. */
const CONFLATE_MS = 50;
const MAX_HEAP_MB = 20;

describe.skipIf(!isThere)(`in Chromium${isThere ? '' : ` (skipped: no ${executablePath})`}`, () => {
  let scene: Scene;
  let browser: Browser;
  let server: Server;
  let round = 0;

  beforeAll(async () => {
    // At full scale as it comes: whom the shard closes meanwhile has to come back.
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

  /** A page that is fed; `before` runs in it ahead of everything. */
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

  /** The oldest value that the page has; 0 before it has all keys. */
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
    'one that wakes has the newest values at once, in few events, with no more memory (case D9)',
    async () => {
      const page = await fed();
      const devtools = await page.context().newCDPSession(page);
      const heapMb = async (): Promise<number> => {
        await devtools.send('HeapProfiler.collectGarbage');
        return (await devtools.send('Runtime.getHeapUsage')).usedSize / 1_000_000;
      };
      const heapBefore = await heapMb();
      const closesBefore = (await scene.numbers()).sum('weir_shard_closes_total');
      // A page that is seen cannot be frozen; one that a debugger has stopped does not run either, and everything queues.
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
      // However slowly this machine lets the page work through what waited.
      expect(events).toBeLessThanOrEqual(Math.min(KEYS, lateMs / CONFLATE_MS + 3));
      expect(grownMb).toBeLessThan(MAX_HEAP_MB);
      // Whom the shard did not close has not come back either.
      if (closes === 0) expect(await number(page, 'weir.info.attempts')).toBe(1);
      expect(await page.evaluate('weir.status')).toBe('open');
      await page.close();
      expectSound(scene.cluster.running);
    },
    scale(60_000, 300_000),
  );

  it('one whose timers run once a minute is as fresh as others (case D9)', async () => {
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

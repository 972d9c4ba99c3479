// A page in Chromium that needs a second for each event, beside one that keeps up. With the plain WebSocket of the browser
// the slow one is a slow client: the shard withholds state and sends what is newest, and nothing piles up in the page.
// docs/clients.md says why the SDK does not use WebSocketStream for that. Skipped by name without Chromium.
import { existsSync, readFileSync } from 'node:fs';
import type { Server } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Browser, Page } from 'playwright-core';
import { chromium } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { seen } from '../../harness/scale.ts';
import { useScene } from '../../harness/scene.ts';
import { until } from '../../harness/small-cluster.ts';

const executablePath = process.env['WEIR_CHROMIUM'] ?? '/usr/bin/chromium';
const isThere = existsSync(executablePath);
const flags = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run'];
const sdk = new URL('../../../packages/client/dist/weir.js', import.meta.url);
const KEYS = 200;
const PERIOD_MS = 100;
const filler = 'x'.repeat(1_000);
/** How long the slow page is busy with each event: many times longer than the feed needs for the next values. */
const BUSY_MS = 1_000;
/** What the quick page has received when enough has happened. */
const ENOUGH_BYTES = 15_000_000;
const MAX_HEAP_MB = 5;
const LONG_MS = 120_000;

describe.skipIf(!isThere)(`in Chromium${isThere ? '' : ` (skipped: no ${executablePath})`}`, () => {
  // A tick for each round of the feed, so that a client that keeps up gets every value. Nobody is evicted.
  const scene = useScene({ shard: { WEIR_TICK_MS: String(PERIOD_MS / 2), WEIR_LAG_MS: '60000' } });
  let browser: Browser;
  let server: Server;

  beforeAll(async () => {
    browser = await chromium.launch({ executablePath, args: flags });
    server = createServer((request, response) => {
      const isSdk = request.url === '/weir.js';
      response.setHeader('content-type', isSdk ? 'text/javascript' : 'text/html');
      if (request.url === '/busy') setTimeout(() => response.end(), BUSY_MS);
      else response.end(isSdk ? readFileSync(sdk) : '<!doctype html><title>page</title>');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });
  afterAll(async () => {
    await browser?.close();
    server?.closeAllConnections();
    server?.close();
  });

  /** A page with a process of its own, which does `work` with each event. */
  async function opened(work = ''): Promise<Page> {
    const page = await (await browser.newContext()).newPage();
    await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
    await page.evaluate(`import('/weir.js').then(({ connect }) => {
      globalThis.received = 0;
      const Counted = class extends WebSocket {
        constructor(...args) {
          super(...args);
          this.addEventListener('message', ({ data }) => { received += data.length; });
        }
      };
      const url = ${JSON.stringify(scene.cluster.routerUrl)};
      globalThis.weir = connect({ url, channels: ['board'], WebSocket: Counted });
      weir.channel('board').on('state', () => { ${work} });
    })`);
    return page;
  }

  /** Nothing else runs in the page until the answer is there, and it costs this machine no work. */
  const busy = `const request = new XMLHttpRequest(); request.open('GET', '/busy', false); request.send();`;

  const number = async (page: Page, expression: string): Promise<number> =>
    Number(await page.evaluate(expression));
  /** The oldest value on the page; 0 until it has all keys. */
  const oldest = `(() => {
    const { state } = weir.channel('board');
    return state.size === ${KEYS} ? Math.min(...[...state.values()].map(({ n }) => n)) : 0;
  })()`;

  it(
    'a page that is slower than its feed gets the newest values, and its memory does not grow',
    async () => {
      let newest = 0;
      const publish = (): void => {
        newest++;
        for (let key = 0; key < KEYS; key++)
          scene.nats.publish(`weir.state.board.k${key}`, JSON.stringify({ n: newest, filler }));
      };
      const feed = scene.every(PERIOD_MS, publish);
      const [slow, quick] = [await opened(busy), await opened()];
      for (const page of [slow, quick])
        await until(async () => (await number(page, oldest)) > 0, 'it is served', LONG_MS);

      const devtools = await slow.context().newCDPSession(slow);
      const heapMb = async (): Promise<number> => {
        await devtools.send('HeapProfiler.collectGarbage');
        return (await devtools.send('Runtime.getHeapUsage')).usedSize / 1_000_000;
      };
      const [before, slowBefore, quickBefore] = [
        await heapMb(),
        await number(slow, 'received'),
        await number(quick, 'received'),
      ];
      await until(
        async () => (await number(quick, 'received')) - quickBefore > ENOUGH_BYTES,
        'the quick page has received enough',
        LONG_MS,
      );
      const quickBytes = (await number(quick, 'received')) - quickBefore;
      const slowBytes = (await number(slow, 'received')) - slowBefore;
      const grownMb = (await heapMb()) - before;
      feed.stop();
      publish();
      for (const page of [slow, quick])
        await until(async () => (await number(page, oldest)) === newest, 'it has the newest', LONG_MS);

      const numbers = await scene.numbers();
      expect(numbers.of('weir_shard_congestions_total')).toBeGreaterThan(0);
      expect(numbers.of('weir_shard_state_withheld_total')).toBeGreaterThan(0);
      expect(slowBytes).toBeLessThan(quickBytes / 2);
      expect(grownMb).toBeLessThan(MAX_HEAP_MB);
      for (const page of [slow, quick])
        expect(await page.evaluate('[weir.status, weir.info.attempts]')).toEqual(['open', 1]);
      seen('slow page', { 'MB slow': slowBytes / 1e6, 'MB quick': quickBytes / 1e6, 'heap MB': grownMb });
      for (const page of [slow, quick]) await page.context().close();
    },
    3 * LONG_MS,
  );
});

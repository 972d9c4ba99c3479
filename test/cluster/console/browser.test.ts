// The console in Chromium, over a real cluster: its numbers are those of /metrics, a shard that is killed is a sentence
// and an event, a drain is asked once more. Skipped by name where there is no Chromium.
import { existsSync } from 'node:fs';
import { connect as connectNats } from '@nats-io/transport-node';
import type { Weir } from '@weir/client';
import { connect } from '@weir/client';
import axe from 'axe-core';
import type { Browser, Page } from 'playwright-core';
import { chromium } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { end } from '../../harness/end.ts';
import type { Service } from '../../harness/small-cluster.ts';
import { metric, SmallCluster, until } from '../../harness/small-cluster.ts';

const executablePath = process.env['WEIR_CHROMIUM'] ?? '/usr/bin/chromium';
const isThere = existsSync(executablePath);
const flags = ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking'];
const TOKEN = 'the-token-of-this-test';
const PARTS = ['overview', 'shards', 'routers', 'streams', 'messages', 'timeline'];
const clients: Weir[] = [];
const complaints: string[] = [];
const foreign: string[] = [];

let cluster: SmallCluster;
let control: Service;
let shards: Service[];
let browser: Browser;

const consoleEnv = {
  WEIR_CONSOLE: 'true',
  WEIR_CONSOLE_PORT: '0',
  WEIR_CONSOLE_EVERY_MS: '500',
  WEIR_CONSOLE_TOKEN: TOKEN,
  WEIR_LOG_LEVEL: 'warn',
};

describe.skipIf(!isThere)(
  `the console in Chromium${isThere ? '' : ` (skipped: no ${executablePath})`}`,
  () => {
    beforeAll(async () => {
      cluster = await SmallCluster.start();
      control = await cluster.control(consoleEnv);
      shards = [];
      for (const id of ['desktop-1', 'desktop-2']) shards.push(await cluster.shard('desktop', id));
      shards.push(await cluster.shard('mobile', 'mobile-1'));
      await cluster.publisher({ WEIR_DEMO: 'lobby' });
      browser = await chromium.launch({ executablePath, args: flags });
      for (let i = 0; i < 8; i++)
        clients.push(
          connect({ url: cluster.routerUrl, channels: ['lobby'], class: i % 2 === 0 ? 'mobile' : 'desktop' }),
        );
      await until(() => clients.every(({ status }) => status === 'open'), 'all clients are served');
    });

    afterAll(async () => {
      for (const client of clients) client.close();
      await browser?.close();
      await cluster.stop();
    });

    async function opened(
      part: string,
      o: { width?: number; scheme?: 'light' | 'dark' } = {},
    ): Promise<Page> {
      const context = await browser.newContext({
        viewport: { width: o.width ?? 1_280, height: 900 },
        colorScheme: o.scheme ?? 'light',
        reducedMotion: 'reduce',
      });
      const page = await context.newPage();
      page.on('console', (message) => complaints.push(message.text()));
      page.on('pageerror', (error) => complaints.push(String(error)));
      page.on('request', (request) => {
        if (!request.url().startsWith(control.url) && !request.url().startsWith('data:'))
          foreign.push(request.url());
      });
      await page.goto(`${control.url}/#${part}`);
      await until(async () => (await page.locator('#status').textContent()) === 'Live', 'the page is live');
      return page;
    }

    const row = (page: Page, table: string, name: string): Promise<readonly string[]> =>
      page
        .locator(`#${table} tbody tr`, { has: page.locator(`th:text-is("${name}")`) })
        .locator('td')
        .allTextContents();
    const texts = (page: Page, selector: string): Promise<readonly string[]> =>
      page.locator(selector).allTextContents();
    const sumOf = async (services: readonly Service[], series: string): Promise<number> => {
      const values = await Promise.all(services.map((service) => metric(service, series)));
      return values.reduce((sum, value) => sum + value, 0);
    };

    it('comes back by itself once there is room for it', async () => {
      const small = await cluster.control({ ...consoleEnv, WEIR_CONSOLE_MAX_BROWSERS: '1' });
      const status = (page: Page): Promise<string | null> => page.locator('#status').textContent();
      const [first, second] = [await browser.newPage(), await browser.newPage()];
      await first.goto(small.url);
      await until(async () => (await status(first)) === 'Live', 'the first page is live');
      await second.goto(small.url);
      await until(async () => String(await status(second)).includes('trying again'), 'there is no room');
      await first.close();
      await until(async () => (await status(second)) === 'Live', 'the second page is live');
      await second.close();
      await end(small.process, 'SIGKILL');
    });

    it('shows the numbers of /metrics', async () => {
      const page = await opened('shards');
      for (const [at, id] of ['desktop-1', 'desktop-2', 'mobile-1'].entries()) {
        const shard = shards[at];
        if (shard === undefined) throw new Error(`no shard ${id}`);
        await until(async () => {
          const cells = (await row(page, 'shards', id)).join(' ');
          return cells.includes(` ${await metric(shard, 'weir_shard_connections')} of `);
        }, `the page has the connections of ${id}`);
      }
      const before = await sumOf(shards, 'weir_shard_closes_total{cause="left"}');
      for (const client of clients.splice(0, 3)) client.close();
      const nats = await connectNats({ servers: cluster.nats.url });
      for (let i = 0; i < 5; i++) nats.publish('weir.state.lobby.broken', '{');
      await nats.drain();
      await page.goto(`${control.url}/#messages`);
      const [shard] = shards;
      if (shard === undefined) throw new Error('no shard');
      const rejected = 'weir_shard_intake_rejected_total{lane="state",reason="notJson"}';
      await until(async () => (await metric(shard, rejected)) === 5, 'the shards have rejected five');
      await until(async () => (await row(page, 'rejected', 'not json')).at(-1) === '5', 'the page says five');
      await until(
        async () => (await texts(page, '#subjects tbody th')).includes('weir.state.lobby.broken'),
        'the page names their subject',
      );
      await until(
        async () => (await sumOf(shards, 'weir_shard_closes_total{cause="left"}')) === before + 3,
        'three left',
      );
      await until(async () => (await row(page, 'closes', 'left')).at(-1) === '3', 'the page says three');
      await page.goto(`${control.url}/#routers`);
      await until(
        async () => (await texts(page, '#decisions tbody tr')).length >= 8,
        'every client was decided on',
      );
      expect((await texts(page, '#decisions tbody td')).join()).not.toContain('127.0.0.1');
      await page.close();
    });

    it.each([
      [390, 'dark'],
      [1_440, 'light'],
    ] as const)(
      'is complete at %i px, %s: nothing for axe, nothing wider than the page',
      async (width, scheme) => {
        const page = await opened('overview', { width, scheme });
        for (const part of PARTS) {
          await page.goto(`${control.url}/#${part}`);
          await until(() => page.locator(`#part-${part}`).isVisible(), `${part} is shown`);
          await page.evaluate(axe.source);
          const found = await page.evaluate<{ violations: { id: string; nodes: { html: string }[] }[] }>(
            'axe.run()',
          );
          expect(found.violations.map(({ id, nodes }) => [part, id, nodes[0]?.html])).toEqual([]);
          expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(width);
          const shots = process.env['WEIR_SCREENSHOTS'];
          if (shots !== undefined)
            await page.screenshot({ path: `${shots}/console-${width}-${part}.png`, fullPage: true });
        }
        await page.close();
      },
    );

    it('is used by keys alone', async () => {
      const page = await opened('overview');
      await page.keyboard.press('Tab');
      await page.keyboard.press('Tab');
      await page.keyboard.press('Tab');
      await page.keyboard.press('Enter');
      await until(() => page.locator('#part-shards').isVisible(), 'the shards are shown');
      expect(await page.locator('nav a[aria-current]').textContent()).toBe('Shards');
      await page.locator('th button:text-is("Clients")').focus();
      await page.keyboard.press('Enter');
      expect(await page.locator('th[aria-sort]').getAttribute('aria-sort')).toBe('descending');
      await page.close();
    });

    it('says in a sentence that a shard was killed, and on the timeline', async () => {
      const page = await opened('overview');
      const victim = shards[1];
      if (victim === undefined) throw new Error('no shard');
      await end(victim.process, 'SIGKILL');
      const sentence = 'Shard desktop-2 of pool desktop ended without a drain.';
      await until(
        async () => (await texts(page, '#findings li')).some((text) => text.startsWith(sentence)),
        sentence,
      );
      await page.goto(`${control.url}/#timeline`);
      await until(
        async () =>
          (await texts(page, '#events li')).some((text) => text.includes('desktop-2 of pool desktop ended')),
        'it is on the timeline',
      );
      await cluster.shard('desktop', 'desktop-2');
      await page.goto(`${control.url}/#overview`);
      await until(
        async () => (await texts(page, '#findings li')).some((text) => text.includes('It is back.')),
        'it is back',
      );
      await page.close();
    });

    it('drains a shard for a person with the token, who is asked once more', async () => {
      const page = await opened('shards');
      const [shard] = shards;
      if (shard === undefined) throw new Error('no shard');
      const says = (words: string): Promise<void> =>
        until(async () => String(await page.locator('#act-text').textContent()).includes(words), words);
      await page.locator('button[aria-label="Drain desktop-1…"]').click();
      await page.locator('#act-token').fill('a-token-that-is-not-right');
      await page.locator('#act-go').click();
      await says('not the one');
      await page.locator('#act-token').fill(TOKEN);
      await page.locator('#act-go').click();
      await says('desktop-1 moves its');
      expect(await page.locator('#act-go').textContent()).toBe('Yes, do it');
      expect(await metric(shard, 'weir_shard_ready')).toBe(1);
      await page.locator('#act-go').click();
      await says('desktop-1 drains.');
      await until(() => shard.process.exitCode === 0, 'it has drained and ended');
      await page.locator('#act-cancel').click();
      await page.goto(`${control.url}/#timeline`);
      await until(
        async () =>
          (await texts(page, '#events li')).some((text) =>
            text.includes('A person asked to drain desktop-1'),
          ),
        'it is on the timeline',
      );
      expect(control.log.some((line) => line.includes('console action') && line.includes('desktop-1'))).toBe(
        true,
      );
      expect(clients.every(({ status }) => status === 'open')).toBe(true);
      await page.close();
    });

    it('comes back by itself when control was started again', async () => {
      const page = await opened('overview');
      await end(control.process, 'SIGKILL');
      await until(
        async () => String(await page.locator('#status').textContent()).includes('does not answer'),
        'the page says that the console is away',
      );
      complaints.length = 0; // the browser says that it cannot connect
      control = await cluster.control({ ...consoleEnv, WEIR_CONSOLE_PORT: new URL(control.url).port });
      await until(
        async () => (await page.locator('#status').textContent()) === 'Live',
        'the page is live again',
      );
      complaints.length = 0;
      await until(async () => (await texts(page, '#pools tbody tr')).length === 2, 'it has both pools');
      await page.close();
    });

    it('has said nothing to the console of the browser, and asked no other host', () => {
      expect(complaints).toEqual([]);
      expect(foreign).toEqual([]);
    });
  },
);

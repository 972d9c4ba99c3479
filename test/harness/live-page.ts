// The tests of a page that shows a live feed, the same for every framework: a killed shard, a dead path, a reload, a token
// that expires, the Back button, and nothing on the console meanwhile. In Chromium, on a real cluster.
import { existsSync } from 'node:fs';
import type { NatsConnection } from '@nats-io/transport-node';
import { connect as connectNats } from '@nats-io/transport-node';
import type { Browser, Page } from 'playwright-core';
import { chromium } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { expectSound } from './oracle.ts';
import { PathCluster } from './path-cluster.ts';
import { scale, seen } from './scale.ts';
import { until } from './small-cluster.ts';
import { TAKES_TOKENS, TokenServer } from './user-tokens.ts';

const executablePath = process.env['WEIR_CHROMIUM'] ?? '/usr/bin/chromium';
const whyNoChromium = existsSync(executablePath) ? '' : ` (skipped: no ${executablePath})`;
const AGAIN_MS = 60_000;
const BACKS = 3;
/** A short life, so that a client comes with another one every few seconds. */
const SHORT_LIVED_S = 9;

/** What the page shows, and how a test publishes it. The page has its status in `output`, its critical messages in `ol`. */
export interface Feed {
  readonly channel: string;
  readonly key: string;
  /** A value of the key that the page shows with the text of `shown`. */
  value(n: number): unknown;
  shown(n: number): string;
  critical(n: number): unknown;
  /** The number of a critical message in the line that the page has for it. */
  readonly line: RegExp;
}

/** A page that is served somewhere. */
export interface Served {
  readonly url: string;
  stop(): Promise<void> | void;
}

/** The option of `connect` in a page's source that names the cluster of `npm start`. */
export const PRINTED_URL = `url: 'ws://127.0.0.1:7701'`;

/** Replaces `PRINTED_URL` in a page's source by these options, a router and tokens for it, and serves the page. */
export type Serve = (options: string) => Promise<Served>;

/** Declares the tests that judge no time. */
export function survives(name: string, feed: Feed, serve: Serve): void {
  declareTests(name, feed, serve, declareSurvival);
}

/** Declares the test of the Back button, which judges a time: the machine must do nothing else. */
export function returnsAtOnce(name: string, feed: Feed, serve: Serve): void {
  declareTests(name, feed, serve, declareReturn);
}

/** Declares all of them, for a file that has the machine for itself. */
export function survivesAndReturns(name: string, feed: Feed, serve: Serve): void {
  declareTests(name, feed, serve, (page) => {
    declareSurvival(page);
    declareReturn(page);
  });
}

/** What the tests of a page have. */
interface OpenPage {
  readonly name: string;
  readonly page: () => Page;
  readonly paths: () => PathCluster;
  readonly tokens: () => TokenServer;
  /** Publishes a new value and returns its number. */
  publish(): number;
  publishCritical(): void;
  showsNewest(n?: number): Promise<void>;
  /** Each once and in order. */
  hasAllCriticals(): Promise<void>;
  statuses(): Promise<string[]>;
  /** The page is there, and served: it has the newest value and a first critical message. */
  opened(): Promise<void>;
}

function declareTests(name: string, feed: Feed, serve: Serve, tests: (page: OpenPage) => void): void {
  describe.skipIf(whyNoChromium !== '')(`${name}${whyNoChromium}`, { timeout: 3 * AGAIN_MS }, () => {
    let paths: PathCluster;
    let tokens: TokenServer;
    let nats: NatsConnection;
    let served: Served;
    let browser: Browser;
    let page: Page;
    let count = 100;
    const complaints: string[] = [];

    beforeAll(async () => {
      const shard: Record<string, string> = scale({ WEIR_BEAT_MS: '1000' }, {});
      paths = await PathCluster.start({ shard, router: TAKES_TOKENS });
      tokens = await TokenServer.start([feed.channel]);
      nats = await connectNats({ servers: paths.cluster.nats.url });
      const token = `token: async () => (await fetch('${tokens.url}')).text()`;
      served = await serve(`url: '${paths.url}', ${token}`);
      browser = await chromium.launch({
        executablePath,
        args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run'],
        // Playwright switches the back/forward cache off.
        ignoreDefaultArgs: ['--disable-back-forward-cache'],
      });
    }, 5 * AGAIN_MS);
    afterAll(async () => {
      await browser?.close();
      await served?.stop();
      tokens?.stop();
      await nats?.close();
      if (paths === undefined) return;
      expectSound(paths.cluster.running);
      await paths.stop();
    });
    beforeEach(async () => {
      complaints.length = 0;
      page = await browser.newPage();
      page.on('console', (said) => {
        // Vite's development server has a connection of its own to the page, and Chromium reports its end.
        const isVites = said.text().includes(`ws://${new URL(served.url).host}/`);
        // Chromium reports each WebSocket that cannot be opened, and no page can prevent that: whether one is being opened
        // when a path dies or a shard is killed is chance.
        const isRefused = /^WebSocket connection to '\S+' failed: /.test(said.text());
        if (['error', 'warning'].includes(said.type()) && !isVites && !isRefused)
          complaints.push(said.text());
      });
      page.on('pageerror', (error) => complaints.push(String(error)));
      await page.addInitScript(`(() => {
        globalThis.statuses = [];
        new MutationObserver(() => {
          const status = document.querySelector('output')?.textContent;
          if (status && status !== statuses.at(-1)) statuses.push(status);
        }).observe(document, { subtree: true, childList: true, characterData: true });
      })()`);
    });
    afterEach(async () => {
      // First: a page that stays would hold a shard of its own in the next test.
      await page.close();
      expect(complaints).toEqual([]);
    });

    function publish(): number {
      const n = ++count;
      nats.publish(`weir.state.${feed.channel}.${feed.key}`, JSON.stringify(feed.value(n)));
      return n;
    }
    const value = (): Promise<string> =>
      page.evaluate(`document.querySelector('[data-key="${feed.key}"]')?.textContent ?? ''`);
    async function showsNewest(n = publish()): Promise<void> {
      await until(async () => (await value()).includes(feed.shown(n)), `the page shows ${n}`, AGAIN_MS);
    }
    const criticals = async (): Promise<number[]> => {
      const lines: string[] = await page.evaluate(
        `[...document.querySelectorAll('ol > li')].map((line) => line.textContent)`,
      );
      return lines.map((text) => Number(feed.line.exec(text)?.[1]));
    };
    const sent: number[] = [];
    function publishCritical(): void {
      sent.push(++count);
      nats.publish(`weir.critical.${feed.channel}`, JSON.stringify(feed.critical(count)));
    }
    async function hasAllCriticals(): Promise<void> {
      await until(async () => (await criticals()).length >= sent.length, 'all critical messages', AGAIN_MS);
      expect(await criticals()).toEqual(sent);
    }
    const statuses = (): Promise<string[]> => page.evaluate('statuses');

    async function opened(): Promise<void> {
      sent.length = 0;
      await page.goto(served.url);
      await showsNewest();
      publishCritical();
      await hasAllCriticals();
      expect((await statuses()).at(-1)).toBe('open');
    }

    tests({
      name,
      page: () => page,
      paths: () => paths,
      tokens: () => tokens,
      publish,
      publishCritical,
      showsNewest,
      hasAllCriticals,
      statuses,
      opened,
    });
  });
}

function declareSurvival({
  name,
  page,
  paths,
  tokens,
  publishCritical,
  showsNewest,
  hasAllCriticals,
  statuses,
  opened,
}: OpenPage): void {
  it('shows a live feed', async () => {
    await opened();
    for (let i = 0; i < 3; i++) await showsNewest();
  });

  it('survives kill -9 of its shard', async () => {
    await opened();
    const startMs = performance.now();
    const again = await paths().killServing();
    publishCritical();
    await showsNewest();
    seen(`${name}, kill -9`, { seconds: (performance.now() - startMs) / 1_000 });
    await hasAllCriticals();
    await again();
  });

  it('survives a dead path, without a break in what it says', async () => {
    await opened();
    paths().swallow();
    publishCritical();
    const startMs = performance.now();
    await showsNewest();
    seen(`${name}, a dead path`, { seconds: (performance.now() - startMs) / 1_000 });
    await hasAllCriticals();
    expect((await statuses()).slice((await statuses()).indexOf('open'))).toEqual(['open']);
  });

  it('loses no critical message by a reload', async () => {
    await opened();
    // A position speaks for the first one.
    await until(
      () => page().evaluate(`Object.keys(sessionStorage).some((key) => key.startsWith('weir '))`),
      'a place in the storage',
    );
    for (let reload = 0; reload < 3; reload++) {
      for (let i = 0; i < 3; i++) publishCritical();
      const reloaded = page().reload();
      for (let i = 0; i < 3; i++) publishCritical();
      await reloaded;
      await showsNewest();
    }
    await hasAllCriticals();
  });

  it('survives its token, without a break', async () => {
    tokens().seconds = SHORT_LIVED_S;
    const before = tokens().asked;
    try {
      await opened();
      // Longer than the first two tokens are good for, whatever the clocks.
      for (let asked = before + 2; asked <= before + 4; asked++) {
        publishCritical();
        const isRenewed = async (): Promise<boolean> => {
          await showsNewest();
          return tokens().asked >= asked;
        };
        await until(isRenewed, 'the client has fetched another token', AGAIN_MS);
      }
      await hasAllCriticals();
    } finally {
      tokens().seconds = 3_600;
    }
    expect((await statuses()).slice((await statuses()).indexOf('open'))).toEqual(['open']);
  });
}

function declareReturn({
  name,
  page,
  tokens,
  publish,
  publishCritical,
  showsNewest,
  hasAllCriticals,
  opened,
}: OpenPage): void {
  it('is up to date within a second of the Back button', async () => {
    await opened();
    const tookMs: number[] = [];
    for (let back = 0; back < BACKS; back++) {
      await page().goto(tokens().url);
      publishCritical();
      const n = publish();
      const startMs = performance.now();
      await page().goBack({ waitUntil: 'commit' });
      await showsNewest(n);
      tookMs.push(performance.now() - startMs);
    }
    seen(`${name}, Back`, { ms: Math.min(...tookMs) });
    await hasAllCriticals();
    // Other work of this machine may delay one of them; a client that waits before it tries is late each time.
    expect(Math.min(...tookMs)).toBeLessThan(1_000);
  });
}

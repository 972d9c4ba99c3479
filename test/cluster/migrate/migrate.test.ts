// The pages of docs/migrate, as printed: one feed goes through the server that an application has before, through Weir, and
// through both side by side; the client of each prints the same.
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { connect as connectTcp } from 'node:net';
import { join } from 'node:path';
import { connect } from '@weir/client';
import { Centrifuge } from 'centrifuge';
import type { Browser } from 'playwright-core';
import { chromium } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { serveFolder } from '../../harness/folder-server.ts';
import { freePort } from '../../harness/free-port.ts';
import { centrifugo, whyNoCentrifugo } from '../../harness/programs/centrifugo.ts';
import { PrintedFolder } from '../../harness/programs/printed-folder.ts';
import type { StartedProgram } from '../../harness/programs/started-program.ts';
import type { Service } from '../../harness/small-cluster.ts';
import { metric, SmallCluster, until } from '../../harness/small-cluster.ts';
import { SECRET, TAKES_TOKENS, tokenFor } from '../../harness/user-tokens.ts';

const OVERVIEW = 'docs/migrate/index.md';
const CHROMIUM = process.env['WEIR_CHROMIUM'] ?? '/usr/bin/chromium';
const whyNoChromium = existsSync(CHROMIUM) ? undefined : `no ${CHROMIUM}`;
const SDK = new URL('../../../packages/client/dist/', import.meta.url).pathname;

let cluster: SmallCluster;
let shard: Service;
let publisher: Service;
let browser: Browser | undefined;
let sdk: { url: string; stop(): void };

beforeAll(async () => {
  cluster = await SmallCluster.start();
  shard = await cluster.shard('desktop', 'desktop-1');
  publisher = await cluster.publisher();
  sdk = await serveFolder(SDK);
  if (whyNoChromium === undefined)
    browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox', '--disable-gpu'] });
});
afterAll(async () => {
  await browser?.close();
  sdk?.stop();
  await cluster?.stop();
});

// Every feed begins at 1: a client that opens before it would show the last value of the feed before.
beforeEach(async () => {
  const message = { lane: 'state', channel: 'odds', key: 'match-1', delete: true };
  const headers = { 'content-type': 'application/json' };
  const body = JSON.stringify(message);
  expect((await fetch(`${publisher.url}/v1/publish`, { method: 'POST', headers, body })).status).toBe(200);
  await until(async () => (await metric(shard, 'weir_shard_state_keys')) === 0, 'the shard has no odds');
});

/** The pages' programs; what listened at 8080 or 8000 does so at a free port. */
async function printed(page: string): Promise<{ folder: PrintedFolder; port: string }> {
  const port = await freePort();
  const folder = new PrintedFolder([OVERVIEW, page], {
    'ws://127.0.0.1:7701': cluster.routerUrl,
    'http://127.0.0.1:7702': publisher.url,
    'http://127.0.0.1:7700/': sdk.url,
    '8080': port,
    '8000': port,
  });
  return { folder, port };
}

async function listens(port: string): Promise<void> {
  const answers = async (): Promise<boolean> => {
    const socket = connectTcp(Number(port), '127.0.0.1');
    try {
      await once(socket, 'connect');
      return true;
    } catch {
      return false;
    } finally {
      socket.destroy();
    }
  };
  await until(answers, `something listens at ${port}`);
}

/** Odds that rise, cheers, and goals, each once and in order. */
async function expectFeed(lines: () => readonly string[] | Promise<readonly string[]>): Promise<void> {
  const of = async (what: string): Promise<number[]> =>
    (await lines()).flatMap((line) => {
      const [, number] = new RegExp(`^${what} (?:match-1 )?(\\d+)`).exec(line) ?? [];
      return number === undefined ? [] : [Number(number)];
    });
  await until(async () => (await of('goal')).length >= 3, 'three goals');
  await until(async () => (await of('odds')).length >= 3 && (await of('cheers')).length >= 3, 'the others');
  const [odds, goals] = [await of('odds'), await of('goal')];
  expect(odds).toEqual([...new Set(odds)].sort((a, b) => a - b));
  expect(goals).toEqual(goals.map((_, n) => (goals[0] ?? 0) + n));
  expect(await lines()).not.toContain('some goals are missing');
}

const printsFeed = (program: StartedProgram): Promise<void> => expectFeed(() => program.lines);

describe.each([
  { page: 'docs/migrate/from-ws.md', server: './ws-server.mjs', client: 'ws-client.mjs' },
  {
    page: 'docs/migrate/from-socket-io.md',
    server: './socket-io-server.mjs',
    client: 'socket-io-client.mjs',
  },
])('$page', ({ page, server, client }) => {
  let folder: PrintedFolder;
  let port: string;

  beforeAll(async () => {
    ({ folder, port } = await printed(page));
  });
  afterAll(() => folder?.remove());

  it('before', async () => {
    const feed = folder.node('feed.mjs', server);
    await listens(port);
    const program = folder.node(client);
    await printsFeed(program);
    await Promise.all([program.end(), feed.end()]);
  });

  it('after', async () => {
    const program = folder.node('weir-client.mjs');
    const feed = folder.node('feed.mjs', './weir-publish.mjs');
    await printsFeed(program);
    expect(feed.text).toBe('');
    await Promise.all([program.end(), feed.end()]);
  });

  it('side by side', async () => {
    const feed = folder.node('feed.mjs', './both.mjs', server);
    await listens(port);
    const programs = [folder.node(client), folder.node('weir-client.mjs')];
    await Promise.all(programs.map(printsFeed));
    expect(feed.text).toBe('');
    await Promise.all([...programs, feed].map((program) => program.end()));
  });
});

describe('docs/migrate/from-socket-io.md', () => {
  it('joins and leaves a room', async () => {
    const { folder } = await printed('docs/migrate/from-socket-io.md');
    const feed = folder.node('feed.mjs', './weir-publish.mjs');
    const rooms = folder.node('weir-rooms.mjs');
    expect(await rooms.ended()).toBe(0);
    expect(rooms.lines.at(-1)).toBe('left 0');
    expect(rooms.lines.filter((line) => line.startsWith('odds match-1')).length).toBeGreaterThan(0);
    await feed.end();
    await folder.remove();
  });
});

describe.skipIf(whyNoCentrifugo !== undefined)(
  `docs/migrate/from-centrifugo.md${whyNoCentrifugo === undefined ? '' : ` (skipped: ${whyNoCentrifugo})`}`,
  () => {
    it('before, and side by side', async () => {
      const { folder, port } = await printed('docs/migrate/from-centrifugo.md');
      folder.start(centrifugo, '-c', 'config.json');
      await listens(port);
      const before = folder.node('centrifugo-client.mjs');
      const feed = folder.node('feed.mjs', './centrifugo-publish.mjs');
      await printsFeed(before);
      await feed.end();
      const both = folder.node('feed.mjs', './both.mjs', './centrifugo-publish.mjs');
      await Promise.all(
        [folder.node('centrifugo-client.mjs'), folder.node('weir-client.mjs')].map(printsFeed),
      );
      expect(both.text).toBe('');
      await folder.remove();
    });

    it('one token serves both, with a claim of its own for Weir', async () => {
      const { folder, port } = await printed('docs/migrate/from-centrifugo.md');
      const config = JSON.parse(readFileSync(join(folder.folder, 'config.json'), 'utf8'));
      config.client = { allowed_origins: ['*'], token: { hmac_secret_key: SECRET } };
      writeFileSync(join(folder.folder, 'config.json'), JSON.stringify(config));
      folder.start(centrifugo, '-c', 'config.json');
      await listens(port);
      const router = await cluster.startRouter({ ...TAKES_TOKENS, WEIR_JWT_CHANNELS_CLAIM: 'weir' });
      const token = tokenFor(600, ['odds'], 'weir');
      const weir = connect({ url: router.url, channels: ['odds'], token });
      const before = new Centrifuge(`ws://127.0.0.1:${port}/connection/websocket`, {
        websocket: WebSocket,
        token,
      });
      const asked = before.newSubscription('odds');
      asked.subscribe();
      before.connect();
      await until(() => weir.status === 'open', 'Weir takes the token');
      await until(() => asked.state === 'subscribed', 'Centrifugo takes the token');
      weir.close();
      before.disconnect();
      await folder.remove();
    });
  },
);

describe.skipIf(whyNoChromium !== undefined)(
  `docs/migrate/from-sse.md${whyNoChromium === undefined ? '' : ` (skipped: ${whyNoChromium})`}`,
  () => {
    it('before, and side by side', async () => {
      const { folder, port } = await printed('docs/migrate/from-sse.md');
      const pages = await serveFolder(folder.folder);
      const feed = folder.node('feed.mjs', './both.mjs', './sse-server.mjs');
      await listens(port);
      for (const name of ['sse-page.html', 'weir-page.html']) {
        const page = await browser?.newPage();
        await page?.goto(`${pages.url}${name}`);
        const log = async (): Promise<string[]> =>
          String(await page?.evaluate(`document.querySelector('#log').textContent`)).split('\n');
        await expectFeed(log);
        await page?.close();
      }
      expect(feed.text).toBe('');
      pages.stop();
      await folder.remove();
    });
  },
);

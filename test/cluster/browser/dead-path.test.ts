// The SDK on paths that go dead silently, and on a shard that is stopped: in Node, in Chromium, where a page cannot see
// pings, and in a context without a DOM, as React Native is one. At full scale with the shards' default beat of 15 s.
import { existsSync, readFileSync } from 'node:fs';
import type { Server } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Context, runInContext } from 'node:vm';
import type { NatsConnection } from '@nats-io/transport-node';
import { connect as connectNats } from '@nats-io/transport-node';
import type { RetryEvent, Weir } from '@weir/client';
import { connect } from '@weir/client';
import type { Browser, Page } from 'playwright-core';
import { chromium } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { bareContext, ReadOnlyUrl } from '../../harness/bare-context.ts';
import { expectSound } from '../../harness/oracle.ts';
import { PathCluster } from '../../harness/path-cluster.ts';
import { scale, seen } from '../../harness/scale.ts';
import { elapsed, until } from '../../harness/small-cluster.ts';

const BEAT: Readonly<Record<string, string>> = scale({ WEIR_BEAT_MS: '1000' }, {});
const AGAIN_MS = 60_000;
const executablePath = process.env['WEIR_CHROMIUM'] ?? '/usr/bin/chromium';
const isThere = existsSync(executablePath);
const flags = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run'];
const sdk = new URL('../../../packages/client/dist/weir.js', import.meta.url);
const script = new URL('../../../packages/client/dist/weir.global.js', import.meta.url);

let paths: PathCluster;
let nats: NatsConnection;
let round = 0;

beforeAll(async () => {
  paths = await PathCluster.start({ shard: BEAT });
  nats = await connectNats({ servers: paths.cluster.nats.url });
});

afterAll(async () => {
  expectSound(paths.cluster.running);
  await nats.close();
  await paths.stop();
});

/** Publishes a new value and returns it. */
const publish = (): number => {
  nats.publish('weir.state.quiet.k', String(++round));
  return round;
};

/** The view of a client in Node or in Chromium. */
interface Shown {
  newest(): Promise<unknown>;
  shard(): Promise<unknown>;
}

async function showsNewest(client: Shown, value = publish()): Promise<void> {
  await until(async () => (await client.newest()) === value, `it shows ${value}`, AGAIN_MS);
}

/** Stops a client's shard and waits until another shard serves the client. */
async function stopsShard(client: Shown, where: string): Promise<void> {
  const id = String(await client.shard());
  await paths.whileStopped(id, async () => {
    const startMs = performance.now();
    await showsNewest(client);
    expect(await client.shard()).not.toBe(id);
    seen(`a stopped shard, ${where}`, { seconds: (performance.now() - startMs) / 1_000 });
  });
}

describe('the SDK in Node', () => {
  let weir: Weir;
  const retries: RetryEvent[] = [];
  const client: Shown = {
    newest: async () => weir.channel('quiet').state.get('k'),
    shard: async () => weir.info.shard,
  };

  beforeEach(async () => {
    retries.length = 0;
    weir = connect({ url: paths.url, channels: ['quiet'], reconnect: { capMs: 1_000 } });
    weir.on('retry', (event) => retries.push(event));
    await showsNewest(client);
  });
  afterEach(() => weir.close());

  it('stays on a path that is quiet but alive', async () => {
    // Three beats at small scale.
    await elapsed(scale(4_000, 70_000));
    expect([weir.info.attempts, retries.length]).toEqual([1, 0]);
  }, 120_000);

  it('leaves a path that swallows everything, without a break in what it says', async () => {
    paths.swallow();
    const startMs = performance.now();
    await showsNewest(client);
    seen('a dead path, Node', { seconds: (performance.now() - startMs) / 1_000 });
    expect([weir.info.attempts, weir.status, retries.length]).toEqual([2, 'open', 0]);
  });

  it('says that it waits where no path leads anywhere, and is back when one does', async () => {
    paths.die();
    const value = publish();
    await until(() => retries.length > 0, 'it has given the old path up', AGAIN_MS);
    expect(retries[0]).toMatchObject({ attempt: 1, code: 1006, stage: 'router' });
    expect(weir.channel('quiet').state.get('k')).not.toBe(value);
    paths.revive();
    await showsNewest(client, value);
  });

  it('leaves a shard that is stopped', () => stopsShard(client, 'Node'), 2 * AGAIN_MS);
});

describe('the SDK without a DOM and without Node', () => {
  let context: Context;
  const client: Shown = {
    newest: async () => runInContext(`weir.channel('quiet').state.get('k')`, context),
    shard: async () => runInContext('weir.info.shard', context),
  };

  beforeEach(async () => {
    // The same code as the file that Metro takes, as a script.
    context = bareContext({ router: paths.url, URL: ReadOnlyUrl });
    runInContext(readFileSync(script, 'utf8'), context);
    runInContext(`globalThis.weir = Weir.connect({ url: router, channels: ['quiet'] })`, context);
    await showsNewest(client);
  });
  afterEach(() => runInContext('weir.close()', context));

  it('leaves a path that swallows everything', async () => {
    paths.swallow();
    const startMs = performance.now();
    await showsNewest(client);
    seen('a dead path, without a DOM', { seconds: (performance.now() - startMs) / 1_000 });
    expect(runInContext('[weir.info.attempts, weir.status].join()', context)).toBe('2,open');
  });

  it('leaves a shard that is stopped', () => stopsShard(client, 'without a DOM'), 2 * AGAIN_MS);
});

describe.skipIf(!isThere)(`the SDK in Chromium${isThere ? '' : ` (skipped: no ${executablePath})`}`, () => {
  let browser: Browser;
  let server: Server;
  let page: Page;
  const client: Shown = {
    newest: () => page.evaluate(`weir.channel('quiet').state.get('k')`),
    shard: () => page.evaluate('weir.info.shard'),
  };

  beforeAll(async () => {
    browser = await chromium.launch({ executablePath, args: flags });
    server = createServer((request, response) => {
      const isSdk = request.url === '/weir.js';
      response.setHeader('content-type', isSdk ? 'text/javascript' : 'text/html');
      response.end(isSdk ? readFileSync(sdk) : '<!doctype html><title>page</title>');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });
  afterAll(async () => {
    await browser?.close();
    server?.closeAllConnections();
    server?.close();
  });
  beforeEach(async () => {
    page = await browser.newPage();
    await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
    await page.evaluate(`import('/weir.js').then(({ connect }) => {
      globalThis.weir = connect({ url: ${JSON.stringify(paths.url)}, channels: ['quiet'] });
    })`);
    await showsNewest(client);
  });
  afterEach(() => page.close());

  it('leaves a path that swallows everything, which a page cannot see', async () => {
    paths.swallow();
    const startMs = performance.now();
    await showsNewest(client);
    seen('a dead path, Chromium', { seconds: (performance.now() - startMs) / 1_000 });
    expect(await page.evaluate('[weir.info.attempts, weir.status]')).toEqual([2, 'open']);
  });

  it('leaves a shard that is stopped', () => stopsShard(client, 'Chromium'), 2 * AGAIN_MS);
});

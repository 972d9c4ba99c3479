// A page that reloads in Chromium, on a real shard: with a storage it continues where it was, gets each critical
// message once, and has the whole state.
import { existsSync, readFileSync } from 'node:fs';
import type { Server } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { NatsConnection } from '@nats-io/transport-node';
import { connect as connectNats } from '@nats-io/transport-node';
import type { Browser } from 'playwright-core';
import { chromium } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectSound } from '../../harness/oracle.ts';
import { SmallCluster, until } from '../../harness/small-cluster.ts';

const executablePath = process.env['WEIR_CHROMIUM'] ?? '/usr/bin/chromium';
const isThere = existsSync(executablePath);
const flags = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run'];
const sdk = new URL('../../../packages/client/dist/weir.js', import.meta.url);
const RELOADS = 5;

describe.skipIf(!isThere)(`in Chromium${isThere ? '' : ` (skipped: no ${executablePath})`}`, () => {
  let cluster: SmallCluster;
  let nats: NatsConnection;
  let browser: Browser;
  let server: Server;
  let site: string;

  beforeAll(async () => {
    cluster = await SmallCluster.start();
    await cluster.shard('desktop', 'desktop-1');
    nats = await connectNats({ servers: cluster.nats.url });
    browser = await chromium.launch({ executablePath, args: flags });
    // A page as an application would write it. It stores the messages that it got, for this test to read.
    const page = `<!doctype html><title>page</title><script type="module">
      import { connect } from '/weir.js';
      const told = JSON.parse(sessionStorage.told ?? '[]');
      globalThis.weir = connect({ url: ${JSON.stringify(cluster.routerUrl)}, channels: ['lobby'], resume: sessionStorage });
      const tell = (what) => { told.push(what); sessionStorage.told = JSON.stringify(told); };
      weir.channel('lobby').on('critical', ({ data }) => tell(data));
      weir.channel('lobby').on('gap', () => tell('gap'));
    </script>`;
    server = createServer((request, response) => {
      const isSdk = request.url === '/weir.js';
      response.setHeader('content-type', isSdk ? 'text/javascript' : 'text/html');
      response.end(isSdk ? readFileSync(sdk) : page);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    site = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  });
  afterAll(async () => {
    await browser?.close();
    server?.closeAllConnections();
    server?.close();
    expectSound(cluster.running);
    await nats.close();
    await cluster.stop();
  });

  it('a page loses no critical message and repeats none, through reloads at any moment', async () => {
    for (let key = 0; key < 50; key++) nats.publish(`weir.state.lobby.k${key}`, '0');
    const page = await browser.newPage();
    await page.goto(site);
    const told = (): Promise<unknown[]> => page.evaluate(`JSON.parse(sessionStorage.told ?? '[]')`);
    await until(() => page.evaluate(`weir.channel('lobby').state.size === 50`), 'it is served');
    let n = 0;
    const publish = (): void => nats.publish('weir.critical.lobby', String(n++));
    publish();
    await until(async () => (await told()).length === 1, 'the first message');
    // The stored position covers the first message.
    await until(
      () => page.evaluate(`Object.keys(sessionStorage).some((key) => key.startsWith('weir '))`),
      'a place',
    );
    for (let reload = 1; reload <= RELOADS; reload++) {
      for (let i = 0; i < 10; i++) publish();
      nats.publish('weir.state.lobby.k0', String(reload));
      const reloaded = page.reload();
      for (let i = 0; i < 10; i++) publish();
      await reloaded;
      await until(
        () =>
          page.evaluate(
            `weir.channel('lobby').state.get('k0') === ${reload} && weir.channel('lobby').state.size === 50`,
          ),
        'the state is whole',
      );
    }
    await until(async () => (await told()).length >= n, 'all messages');
    expect(await told()).toEqual(Array.from({ length: n }, (_, i) => i));
    await page.close();
  });
});

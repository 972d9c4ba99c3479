// deploy/compose on a real engine: clients over TLS, a crash of every container, an upgrade, a back-up and its return.
// Skipped by name where Docker, Compose or an image is missing.
import { copyFileSync, existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Weir } from '@weir/client';
import { connect } from '@weir/client';
import { chromium } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { Crowd } from '../../harness/crowd.ts';
import { blocksOf } from '../../harness/programs/documents.ts';
import { whyNoPython } from '../../harness/programs/python.ts';
import { StrangerClient } from '../../harness/programs/stranger-client.ts';
import { isExhaustive, onlyInCi, sample } from '../../harness/scale.ts';
import { until } from '../../harness/small-cluster.ts';
import { ComposeStack, SERVICES, whyNoStack } from './stack.ts';

const minutes = 60_000;
const CHROMIUM = process.env['WEIR_CHROMIUM'] ?? '/usr/bin/chromium';
const SDK = new URL('../../../packages/client/dist/weir.global.js', import.meta.url);
const why = whyNoStack();
const noPython = whyNoPython();
const reconnect = { spreadMs: 500, baseMs: 200, capMs: 2_000 };

describe.skipIf(why !== undefined)(`one host${why === undefined ? '' : ` (skipped: ${why})`}`, () => {
  let stack: ComposeStack;
  const ends: (() => unknown)[] = [];

  beforeAll(async () => {
    stack = await ComposeStack.start();
    // For the processes of clients that this test starts.
    process.env['NODE_EXTRA_CA_CERTS'] = stack.authority;
  }, 5 * minutes);
  afterEach(async () => {
    for (const end of ends.splice(0)) await end();
  });
  afterAll(async () => {
    delete process.env['NODE_EXTRA_CA_CERTS'];
    await stack?.stop();
  }, 3 * minutes);

  function client(channel: string): Weir {
    const ca = readFileSync(stack.authority);
    class Trusting extends WebSocket {
      constructor(url: string, protocols?: string[]) {
        super(url, protocols, { ca, perMessageDeflate: false });
      }
    }
    const weir = connect({ url: stack.url, channels: [channel], WebSocket: Trusting, reconnect });
    ends.push(() => weir.close());
    return weir;
  }

  async function crowd(channel: string, size: number): Promise<Crowd> {
    const members = new Crowd({ url: stack.url, channel, size, processes: 2, paceMs: 10, reconnect });
    ends.push(() => members.stop());
    await until(() => members.open === size, 'all are connected', 60_000);
    return members;
  }

  const shown = (weir: Weir, channel: string): Record<string, unknown> =>
    Object.fromEntries(weir.channel(channel).state);

  it('serves the SDK over TLS at one URL, and a container has no secret of another', async () => {
    await stack.publish({ lane: 'state', channel: 'odds', key: 'match-7', data: { home: 2.1 } });
    const weir = client('odds');
    await until(() => weir.channel('odds').state.size === 1, 'the value');
    expect(shown(weir, 'odds')).toEqual({ 'match-7': { home: 2.1 } });
    const secrets = readFileSync(join(stack.folder, '.env'), 'utf8');
    expect(statSync(join(stack.folder, '.env')).mode & 0o777).toBe(0o600);
    const [, ofShards = ''] = /^NATS_PASSWORD_SHARD=(.*)$/m.exec(secrets) ?? [];
    for (const service of SERVICES) {
      const { Config } = await stack.inspect(service);
      const isMeant = service === 'nats' || /-\d$/.test(service);
      expect([service, Config.Env.some((line) => line.endsWith(ofShards))]).toEqual([service, isMeant]);
    }
    const metrics = await fetch(`${stack.adminUrl}/desktop-1/metrics`);
    expect(await metrics.text()).toContain('weir_shard_connections');
    expect(await (await fetch(stack.consoleUrl)).text()).toContain('<title>');
  });

  it('publishes, and shows it in a browser, as docs/one-host.md prints both', async () => {
    const text = readFileSync(new URL('../../../docs/one-host.md', import.meta.url), 'utf8');
    const { host } = new URL(stack.url);
    const printed = (has: string): string =>
      blocksOf('docs/one-host.md', text.replaceAll('weir.example.com', host)).find(({ body }) =>
        body.includes(has),
      )?.body ?? '';
    const publishes = `export CURL_CA_BUNDLE=${stack.authority}\n${printed('curl -sS "https')}`;
    expect(await stack.script('bash', '-euc', publishes)).toMatch(/^\{"ok":true,"stream":"WEIR_STATE"/);
    if (!existsSync(CHROMIUM)) return;
    writeFileSync(join(stack.folder, 'my-page.html'), printed('Weir.connect'));
    copyFileSync(SDK, join(stack.folder, 'weir.global.js'));
    const args = ['--no-sandbox', '--disable-gpu', '--ignore-certificate-errors'];
    const browser = await chromium.launch({ executablePath: CHROMIUM, args });
    ends.push(() => browser.close());
    const page = await browser.newPage();
    await page.goto(`file://${join(stack.folder, 'my-page.html')}`);
    await page.waitForFunction(
      `document.querySelector('#odds').textContent.includes('"home":2.1,"away":3.4')`,
    );
  });

  it.skipIf(noPython !== undefined)(
    `serves a Python client over TLS${noPython === undefined ? '' : ` (skipped: ${noPython})`}`,
    async () => {
      await stack.publish({ lane: 'state', channel: 'python', key: 'n', data: 1 });
      const python = new StrangerClient(stack.url, ['python'], { SSL_CERT_FILE: stack.authority });
      ends.push(() => python.stop());
      const says = (what: string): string => `${what}: ${python.errors} ${JSON.stringify(python.said)}`;
      await until(() => JSON.stringify(python.state('python')) === '{"n":1}', 'the value').catch(() => {
        throw new Error(says('the value'));
      });
      await stack.publish({ lane: 'critical', channel: 'python', data: 'goal' });
      await until(() => python.ids('python').length === 1, 'the critical message');
    },
  );

  it(
    'survives the crash of each container: nothing critical is lost',
    async () => {
      const members = await crowd('crash', 20);
      let sent = 0;
      const send = (): Promise<void> =>
        stack.publish({ lane: 'critical', channel: 'crash', data: sent, id: `crash-${sent++}` });
      for (const service of sample(SERVICES, 3)) {
        await send();
        const back = stack.crash(service);
        await send();
        await back;
        await send();
        await stack.publish({ lane: 'state', channel: 'crash', key: 'n', data: sent });
        await until(() => members.leastGot === sent, `all messages after ${service}`, 90_000);
      }
      await until(
        async () => (await members.members()).every(({ state }) => state['n'] === sent),
        'the state',
      );
      for (const { got, gaps } of await members.members()) {
        expect(got).toEqual(Array.from({ length: sent }, (_, i) => i));
        expect(gaps).toBe(0);
      }
    },
    6 * minutes,
  );

  it.skipIf(!isExhaustive)(
    `upgrades one service after another under 200 clients: nothing critical is lost${onlyInCi}`,
    async () => {
      const members = await crowd('upgrade', 200);
      let sent = 0;
      let isOver = false;
      const feed = (async () => {
        while (!isOver)
          await stack.publish({ lane: 'critical', channel: 'upgrade', data: sent, id: `up-${sent++}` });
      })();
      stack.tagNext();
      await stack.script('./upgrade.sh').finally(() => {
        isOver = true;
      });
      await feed;
      await until(() => members.leastGot === sent, 'all messages', 60_000);
      for (const { got, gaps } of await members.members()) {
        expect(got).toEqual(Array.from({ length: sent }, (_, i) => i));
        expect(gaps).toBe(0);
      }
      for (const service of ['router', 'desktop-1', 'desktop-2', 'mobile-1', 'publisher', 'control'] as const)
        expect((await stack.inspect(service)).Config.Image).toMatch(/:next$/);
    },
    6 * minutes,
  );

  it(
    'gets a back-up back: clients that stayed and new ones show its state',
    async () => {
      const write = (key: string, data: number): Promise<void> =>
        stack.publish({ lane: 'state', channel: 'kept', key, data });
      const before = client('kept');
      await write('a', 1);
      await write('b', 2);
      await until(() => before.channel('kept').state.size === 2, 'the state');
      await stack.script('./back-up.sh', 'store.tar.gz');
      await write('a', 3);
      await write('c', 4);
      await stack.publish({ lane: 'state', channel: 'kept', key: 'b', delete: true });
      await until(() => before.channel('kept').state.get('c') === 4, 'what came later');
      await stack.script('./restore.sh', 'store.tar.gz');
      const equal = (weir: Weir): boolean =>
        JSON.stringify(Object.entries(shown(weir, 'kept')).toSorted()) === '[["a",1],["b",2]]';
      await until(() => equal(before), 'the state of the back-up', 60_000);
      const after = client('kept');
      await until(() => equal(after), 'the state of the back-up, for a new client', 60_000);
      let heard: unknown;
      after.channel('kept').on('critical', ({ data }) => {
        heard = data;
      });
      await stack.publish({ lane: 'critical', channel: 'kept', data: 'again' });
      await until(() => heard === 'again', 'what is published then');
    },
    4 * minutes,
  );
});

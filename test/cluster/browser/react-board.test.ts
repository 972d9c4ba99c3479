// The board of docs/react.md as printed: type-checked, bundled from the packed packages, and rendered by React in
// Chromium, in StrictMode and in development. Skipped by name without Chromium.
import { existsSync, readFileSync } from 'node:fs';
import type { Server } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Browser, Page } from 'playwright-core';
import { chromium } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { Installed } from '../../harness/installed.ts';
import { ScriptedCluster } from '../../harness/scripted-cluster.ts';

const executablePath = process.env['WEIR_CHROMIUM'] ?? '/usr/bin/chromium';
const isThere = existsSync(executablePath);
const flags = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run'];
const page = '<!doctype html><div id="root"></div><script type="module" src="/board.js"></script>';

function printed(): string {
  const text = readFileSync(new URL('../../../docs/react.md', import.meta.url), 'utf8');
  return /```tsx file=board\.tsx\n([\s\S]*?)```/.exec(text)?.[1] ?? '';
}

describe.skipIf(!isThere)(`React in Chromium${isThere ? '' : ` (skipped: no ${executablePath})`}`, () => {
  let cluster: ScriptedCluster;
  let app: Installed;
  let browser: Browser;
  let server: Server;

  beforeAll(async () => {
    cluster = await ScriptedCluster.start();
    app = await Installed.install({ beside: ['react', 'react-dom', '@types/react', '@types/react-dom'] });
    app.write('board.tsx', printed().replace('ws://127.0.0.1:7701', cluster.url));
    const development = ['--define:process.env.NODE_ENV="development"', '--jsx=automatic', '--jsx-dev'];
    const how = ['--bundle', '--format=esm', '--outfile=board.js', ...development];
    await app.tool('.bin/esbuild', ['board.tsx', ...how, '--log-level=warning']);
    server = createServer((request, response) => {
      const isScript = request.url === '/board.js';
      response.setHeader('Content-Type', isScript ? 'text/javascript' : 'text/html');
      response.end(isScript ? app.read('board.js') : page);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    browser = await chromium.launch({ executablePath, args: flags });
  });
  afterAll(async () => {
    await browser?.close();
    server?.closeAllConnections();
    server?.close();
    app?.remove();
    await cluster?.stop();
  });

  it('fits into 20 lines, and passes strict type checks', async () => {
    expect(printed().match(/^.+$/gm)?.length).toBeLessThanOrEqual(20);
    const strict = ['--strict', '--exactOptionalPropertyTypes', '--noEmit', '--jsx', 'react-jsx'];
    const how = ['--module', 'esnext', '--moduleResolution', 'bundler', '--target', 'es2022'];
    await app.tool('.bin/tsc', [...strict, ...how, '--types', 'react,react-dom', 'board.tsx']);
  });

  it('shows the state and its changes, reconnects, and logs nothing to the console', async () => {
    cluster.set('odds', { 'match-1': { home: 1, away: 2 }, 'match-2': { home: 3, away: 4 } });
    const shown: Page = await browser.newPage();
    const complaints: string[] = [];
    shown.on('console', (said) => {
      if (['error', 'warning'].includes(said.type())) complaints.push(said.text());
    });
    shown.on('pageerror', (error) => complaints.push(String(error)));
    const read = (list: HTMLElement | SVGElement): string =>
      [list.getAttribute('title'), ...[...list.children].map((item) => item.textContent)].join('; ');
    const shows = (text: string): Promise<void> =>
      vi.waitFor(async () => expect(await shown.locator('ul').evaluate(read)).toBe(text), {
        timeout: 20_000,
        interval: 50,
      });
    await shown.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
    await shows('open; match-1: 1 – 2; match-2: 3 – 4');
    expect(cluster.visits).toHaveLength(1);
    cluster.set('odds', { 'match-2': { home: 5, away: 6 } });
    cluster.delete('odds', 'match-1');
    await shows('open; match-2: 5 – 6');
    cluster.cutStreams();
    cluster.set('odds', { 'match-2': { home: 7, away: 8 } });
    await shows('open; match-2: 7 – 8');
    expect(cluster.visits).toHaveLength(2);
    expect(complaints).toEqual([]);
    await shown.close();
  });
});

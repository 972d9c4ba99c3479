// The code of the pages about frameworks, as printed, with what a registry has: built by Vite and looked at in Chromium.
// What needs a phone, or is a fragment, is held against its types. Skipped unless it is asked for.
import { existsSync, readFileSync } from 'node:fs';
import type { Server } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join } from 'node:path';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { Installed } from '../../harness/installed.ts';
import { blocksOf } from '../../harness/programs/documents.ts';
import { ScriptedCluster } from '../../harness/scripted-cluster.ts';

const isWanted = process.env['WEIR_TEST_PACKAGES'] === 'true';
const why = isWanted ? '' : ' (skipped: only npm run test:packages has it)';
const minutes = 60_000;
const CHROMIUM = process.env['WEIR_CHROMIUM'] ?? '/usr/bin/chromium';
const FETCHED = [
  ...['vite@8.4.0', 'vue@3.5.45', '@vitejs/plugin-vue@6.0.11', 'vue-tsc@3.3.14'],
  ...['svelte@5.57.3', '@sveltejs/vite-plugin-svelte@7.3.1', 'typescript@6.0.3'],
  ...['react@19.3.1', '@types/react@19.3.3', '@react-native/virtualized-lists@0.88.1'],
];
const REACT_NATIVE = 'react-native@0.88.1';
const STRICT = ['--noEmit', '--strict', '--exactOptionalPropertyTypes', '--skipLibCheck'];
const BUNDLED = ['--module', 'esnext', '--moduleResolution', 'bundler', '--target', 'es2022'];

interface App {
  readonly page: string;
  /** Made of the page's files and of these. */
  readonly beside: Readonly<Record<string, string>>;
}

const HTML = '<!doctype html><div id="app"></div><script type="module" src="/src/main.ts"></script>';
const APPS: Readonly<Record<string, App>> = {
  'without a framework': { page: 'clients', beside: {} },
  Vue: {
    page: 'vue',
    beside: {
      'src/main.ts': `import { createApp } from 'vue'; import App from './App.vue'; createApp(App).mount('#app');`,
      'vite.config.js': `import vue from '@vitejs/plugin-vue'; export default { plugins: [vue()] };`,
    },
  },
  Svelte: {
    page: 'svelte',
    beside: {
      'src/main.ts': `import { mount } from 'svelte'; import App from './App.svelte'; mount(App, { target: document.querySelector('#app') });`,
      'vite.config.js': `import { svelte } from '@sveltejs/vite-plugin-svelte'; export default { plugins: [svelte()] };`,
    },
  },
};

function printed(page: string): ReadonlyMap<string, string> {
  const markdown = readFileSync(new URL(`../../../docs/${page}.md`, import.meta.url), 'utf8');
  const files = blocksOf(page, markdown).flatMap(({ file, body }) =>
    file === undefined ? [] : [[file, body] as const],
  );
  return new Map(files);
}

describe.skipIf(!isWanted)(`the pages about frameworks${why}`, { timeout: 5 * minutes }, () => {
  let cluster: ScriptedCluster;
  let app: Installed;

  beforeAll(async () => {
    cluster = await ScriptedCluster.start();
    app = await Installed.install({ fetched: FETCHED });
  }, 10 * minutes);
  afterAll(async () => {
    await cluster?.stop();
    app?.remove();
  }, 2 * minutes);

  describe.skipIf(!existsSync(CHROMIUM))(`in Chromium`, () => {
    let browser: Browser;
    let server: Server;
    let shown = '';

    beforeAll(async () => {
      browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox', '--disable-gpu'] });
      server = createServer(({ url = '/' }, response) => {
        const file = join(shown, url === '/' ? 'index.html' : url);
        response.statusCode = existsSync(file) ? 200 : 204; // a browser asks for an icon
        response.setHeader('Content-Type', extname(file) === '.js' ? 'text/javascript' : 'text/html');
        response.end(existsSync(file) ? readFileSync(file) : undefined);
      });
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    });
    afterAll(async () => {
      await browser?.close();
      server?.closeAllConnections();
      server?.close();
    });

    it.each(Object.entries(APPS))(
      '%s: shows what is there and what changes, comes back, and is quiet',
      async (name, { page, beside }) => {
        const folder = name.replaceAll(' ', '-');
        const files = { 'index.html': HTML, ...Object.fromEntries(printed(page)), ...beside };
        for (const [file, body] of Object.entries(files))
          app.write(
            `${folder}/${file.includes('/') || !file.endsWith('.ts') ? file : `src/${file}`}`,
            body.replace('ws://127.0.0.1:7701', cluster.url),
          );
        await app.own('.bin/vite', ['build', folder, '--logLevel', 'warn']);
        shown = app.path(`${folder}/dist`);

        cluster.set('odds', { 'match-1': { home: 1, away: 2 }, 'match-2': { home: 3, away: 4 } });
        const complaints: string[] = [];
        const tab: Page = await browser.newPage();
        tab.on('console', (said) => complaints.push(said.text()));
        tab.on('pageerror', (error) => complaints.push(String(error)));
        const shows = (selector: string, lines: readonly string[]): Promise<void> =>
          vi.waitFor(async () => expect(await tab.locator(selector).allTextContents()).toEqual(lines), {
            timeout: 20_000,
            interval: 50,
          });
        await tab.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
        await shows('ul li', ['match-1: 1 – 2', 'match-2: 3 – 4']);
        cluster.set('odds', { 'match-2': { home: 5, away: 6 } });
        cluster.delete('odds', 'match-1');
        cluster.critical('odds', { match: 'match-2', score: '1-0' });
        await shows('ul li', ['match-2: 5 – 6']);
        await shows('ol li', ['match-2 is 1-0']);
        expect(await tab.locator('[title]').getAttribute('title')).toBe('open');
        cluster.cutStreams();
        cluster.set('odds', { 'match-2': { home: 7, away: 8 } });
        await shows('ul li', ['match-2: 7 – 8']);
        await tab.close();
        expect(complaints).toEqual([]);
      },
    );
  });

  it('Vue: has types', async () => {
    for (const [file, body] of printed('vue')) app.write(`vue-types/${file}`, body);
    app.write('vue-types/tsconfig.json', '{ "include": ["src"] }');
    await app.own('.bin/vue-tsc', ['-p', 'vue-types', ...STRICT, ...BUNDLED]);
  });

  it('of the SDK: every fragment is strictly typed', async () => {
    const files = printed('clients');
    for (const [file, body] of files) app.write(`fragments/${file}`, body);
    const paths = [...files.keys()].map((file) => `fragments/${file}`);
    await app.own('.bin/tsc', [...paths, ...STRICT, ...BUNDLED]);
  });

  it('React Native: is typed as React Native says', async () => {
    await app.pack(REACT_NATIVE, 'native');
    app.write('native/board.tsx', printed('react-native').get('board.native.tsx') ?? '');
    app.write(
      'native/types.d.ts',
      `declare module '@react-native-async-storage/async-storage' {
         const storage: { getItem(key: string): Promise<string | null>; setItem(key: string, value: string): Promise<void> };
         export default storage;
       }`,
    );
    const paths = JSON.stringify({ 'react-native': ['./package/types_generated/index.d.ts'] });
    app.write(
      'native/tsconfig.json',
      `{ "files": ["board.tsx", "types.d.ts"], "compilerOptions": { "jsx": "react-jsx", "paths": ${paths}, "lib": ["es2023"], "types": ["react"] } }`,
    );
    await app.own('.bin/tsc', ['-p', 'native', ...STRICT, ...BUNDLED]);
  });
});

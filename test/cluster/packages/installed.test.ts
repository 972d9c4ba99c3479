// The packed SDK as an application has it: installed into an empty folder, then imported, required, type-checked,
// bundled, and run where there is neither a DOM nor Node. `npm run test:packages` does the same with what a registry has.
import { cpSync, readdirSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ReadOnlyUrl, saidIn } from '../../harness/bare-context.ts';
import { Installed, SHOWS_LOBBY } from '../../harness/installed.ts';
import { ScriptedCluster } from '../../harness/scripted-cluster.ts';

const BESIDE = ['react', 'react-dom', '@types/react', '@types/react-dom', 'vite', 'ws'];

let app: Installed;
let cluster: ScriptedCluster;

beforeAll(async () => {
  cluster = await ScriptedCluster.start();
  cluster.set('lobby', { a: 1 });
  app = await Installed.install({ beside: BESIDE });
  app.write('app.mjs', `import { connect } from '@weir/client';${SHOWS_LOBBY}`);
  app.write('app.cjs', `const { connect } = require('@weir/client');${SHOWS_LOBBY}`);
});
afterAll(async () => {
  app?.remove();
  await cluster?.stop();
});

describe('the packages', () => {
  it('install nothing else of Weir, and source maps that contain their sources', () => {
    expect(readdirSync(app.path('node_modules/@weir')).sort()).toEqual(['client', 'react']);
    for (const name of ['client', 'react']) {
      const dist = app.path(`node_modules/@weir/${name}/dist`);
      const scripts = readdirSync(dist).filter((file) => /\.c?js$/.test(file));
      expect(scripts.length).toBeGreaterThan(1);
      for (const file of scripts) {
        const map = JSON.parse(readFileSync(`${dist}/${file}.map`, 'utf8'));
        expect(map.sourcesContent).toHaveLength(map.sources.length);
        expect(readFileSync(`${dist}/${file}`, 'utf8')).toContain(`sourceMappingURL=${file}.map`);
      }
    }
  });

  it('are named with their version by the README', () => {
    const { version } = JSON.parse(app.read('node_modules/@weir/client/package.json'));
    const [major, minor] = version.split('.');
    const named = app.read('node_modules/@weir/client/README.md').match(/@weir\/client@[\d.]+/g);
    expect(named).toEqual([`@weir/client@${major}.${minor}`]);
  });
});

describe(`on Node ${process.versions.node}`, () => {
  it.each(['app.mjs', 'app.cjs'])('%s connects', async (file) => {
    expect(await app.node(file, cluster.url)).toBe('a,1\n');
  });

  it.each([
    ['ssr.mjs', (name: string, from: string) => `import ${name} from '${from}';`],
    ['ssr.cjs', (name: string, from: string) => `const ${name.replace(/ as /g, ': ')} = require('${from}');`],
  ])('%s renders a page of React', async (file, take) => {
    app.write(
      file,
      `${take('{ createElement as h }', 'react')}
       ${take('{ renderToString }', 'react-dom/server')}
       ${take('{ connect }', '@weir/client')}
       ${take('{ useChannel, useStatus, WeirProvider }', '@weir/react')}
       const Board = () => useStatus() + useChannel('lobby').size;
       console.log(renderToString(h(WeirProvider, { connect }, h(Board))));`,
    );
    expect(await app.node(file)).toBe('connecting0\n');
  });
});

describe('the types', () => {
  const strict = ['--noEmit', '--strict', '--exactOptionalPropertyTypes', '--target', 'es2022'];
  const newest = '.bin/tsc';
  // The version inside attw, since the newest TypeScript no longer knows this resolution.
  const older = '@arethetypeswrong/core/node_modules/.bin/tsc';

  beforeAll(() => {
    const text = `
      interface Market { odds: { state: { home: number }; critical: { minute: number } } }
      const options: ConnectOptions = { url: 'wss://weir.test', token: undefined };
      const weir = connect<Market>(options);
      weir.channel('odds').on('critical', ({ data }) => data.minute.toFixed());
      weir.on('error', ({ code }) => { if (code === 'NOT_AUTHORISED') weir.close(); });
      const { useKey } = typedHooks<Market>();
      export const home = (): number | undefined => useKey('odds', 'a')?.home;
      // @ts-expect-error: there is no such channel
      useKey('odd', 'a');
    `;
    const imports = `
      import { connect, type ConnectOptions } from '@weir/client';
      import { typedHooks } from '@weir/react';
      import { connect as same } from '@weir/client/weir.js';
      export const equal: typeof connect = same;`;
    for (const file of ['types.ts', 'types.mts', 'types.cts']) app.write(file, imports + text);
  });

  it.each([
    ['node10', older, ['types.ts'], 'commonjs'],
    ['node16', newest, ['types.mts', 'types.cts'], 'node16'],
    ['nodenext', newest, ['types.mts', 'types.cts'], 'nodenext'],
    ['bundler', newest, ['types.ts'], 'esnext'],
  ])('are found by %s, and need no DOM', async (resolution, tsc, files, module) => {
    const how = ['--module', module, '--moduleResolution', resolution, '--types', 'react'];
    await app.tool(tsc, [...strict, ...how, '--lib', 'es2022', ...files]);
  });
});

describe('examples/odds-board', () => {
  it('has types that fit', async () => {
    cpSync(new URL('../../../examples/odds-board/src', import.meta.url), app.path('odds-board/src'), {
      recursive: true,
    });
    cpSync(
      new URL('../../../examples/odds-board/tsconfig.json', import.meta.url),
      app.path('odds-board/tsconfig.json'),
    );
    await app.tool('.bin/tsc', ['-p', 'odds-board']);
  });
});

describe('without a DOM and without Node', () => {
  const said = (script: string): Promise<string> => saidIn(script, { router: cluster.url, URL: ReadOnlyUrl });

  it('weir.global.js runs as a script', async () => {
    const script = app.read('node_modules/@weir/client/dist/weir.global.js');
    expect(await said(`${script}; const { connect } = Weir; ${SHOWS_LOBBY}`)).toBe('a,1');
  });

  it.each([
    ['for browsers', ['--platform=browser']],
    ['for React Native', ['--platform=neutral', '--conditions=react-native']],
    [
      'by a resolver of before `exports`',
      ['--platform=neutral', '--main-fields=react-native', '--alias:@weir/client=./old'],
    ],
  ])('esbuild bundles it %s', async (_, args) => {
    // What an old resolver sees: the other fields, but no `exports`.
    const { exports: _exports, ...old } = JSON.parse(app.read('node_modules/@weir/client/package.json'));
    app.write('old/package.json', JSON.stringify(old));
    app.write('old/dist/weir.js', app.read('node_modules/@weir/client/dist/weir.js'));
    const bundle = ['app.mjs', '--bundle', '--format=iife', '--outfile=esbuild.js'];
    await app.tool('.bin/esbuild', [...bundle, ...args, '--log-level=warning']);
    expect(app.read('esbuild.js')).not.toMatch(/import\(|require\("ws/);
    expect(await said(app.read('esbuild.js'))).toBe('a,1');
  });

  it('Vite bundles it', async () => {
    app.write('vite/index.html', '<script type="module" src="../app.mjs"></script>');
    app.write('vite.config.mjs', `export default { build: { modulePreload: false, minify: false } };`);
    await app.tool('.bin/vite', ['build', 'vite', '--config', 'vite.config.mjs', '--logLevel', 'warn']);
    const file = readdirSync(app.path('vite/dist/assets')).find((name) => name.endsWith('.js'));
    expect(await said(`(() => {${app.read(`vite/dist/assets/${file}`)}})()`)).toBe('a,1');
  });

  it('Rolldown bundles it for Node', async () => {
    await app.tool('.bin/rolldown', [
      'app.mjs',
      '--platform',
      'node',
      '--file',
      'rolldown.mjs',
      '--external',
      'ws',
    ]);
    expect(await app.node('rolldown.mjs', cluster.url)).toBe('a,1\n');
  });
});

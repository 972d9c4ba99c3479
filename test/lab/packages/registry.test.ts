// The packed SDK on other versions of Node and TypeScript, on Bun and Deno, with webpack, Rollup and Next, and with
// React Native's URL: everything that comes from a registry. Skipped unless asked for: it downloads a gigabyte.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { saidIn } from '../../harness/bare-context.ts';
import { Installed, SHOWS_LOBBY } from '../../harness/installed.ts';
import { ScriptedCluster } from '../../harness/scripted-cluster.ts';
import { DENO_RUN, NODES, RUNTIMES } from './runtimes.ts';
import { isWanted, minutes, why } from './wanted.ts';

const TYPESCRIPTS = { 'typescript-5.5': '5.5.4', 'typescript-7': '7.0.2' } as const;
const FETCHED = [
  ...RUNTIMES,
  ...Object.entries(TYPESCRIPTS).map(([name, version]) => `${name}@npm:typescript@${version}`),
  'ws@8.23.0',
  ...['webpack@5.113.0', 'webpack-cli@7.3.1', 'rollup@4.68.8', '@rollup/plugin-node-resolve@16.0.3'],
  ...['next@16.4.6', 'react@19.3.1', 'react-dom@19.3.1', '@types/react@19.3.3'],
  ...['flow-remove-types@2.336.0', 'esbuild@0.28.2'],
];
const REACT_NATIVE = 'react-native@0.88.1';

describe.skipIf(!isWanted)(`the packed SDK${why}`, { timeout: 5 * minutes }, () => {
  let app: Installed;
  let cluster: ScriptedCluster;

  beforeAll(async () => {
    cluster = await ScriptedCluster.start();
    cluster.set('lobby', { a: 1 });
    app = await Installed.install({ fetched: FETCHED });
    app.write('app.mjs', `import { connect } from '@weir/client';${SHOWS_LOBBY}`);
    app.write('app.cjs', `const { connect } = require('@weir/client');${SHOWS_LOBBY}`);
  }, 10 * minutes);
  afterAll(async () => {
    await cluster?.stop();
    app?.remove(); // tens of thousands of files
  }, 2 * minutes);
  const said = (script: string): Promise<string> => saidIn(script, { router: cluster.url, URL });

  describe.each(Object.entries(NODES))('on %s (%s)', (name) => {
    it.each(['app.mjs', 'app.cjs'])('%s connects', async (file) => {
      expect(await app.own(`${name}/bin/node`, [file, cluster.url])).toBe('a,1\n');
    });
  });

  it('connects on Bun', async () => {
    expect(await app.own('.bin/bun', ['app.mjs', cluster.url])).toBe('a,1\n');
    expect(await app.own('.bin/bun', ['app.cjs', cluster.url])).toBe('a,1\n');
  });

  it('connects on Deno', async () => {
    expect(await app.own('.bin/deno', [...DENO_RUN, 'app.mjs', cluster.url])).toBe('a,1\n');
  });

  it.each([
    ['typescript-5.5', 'commonjs', 'node10'],
    ['typescript-5.5', 'node16', 'node16'],
    ['typescript-5.5', 'esnext', 'bundler'],
    ['typescript-7', 'nodenext', 'nodenext'],
    ['typescript-7', 'esnext', 'bundler'],
  ])('has types for %s (%s, %s)', async (typescript, module, resolution) => {
    app.write(
      'types.ts',
      `import { connect } from '@weir/client';
       import { typedHooks } from '@weir/react';
       type Market = { odds: { state: { home: number } } };
       export const home = (url: string) => connect<Market>({ url, token: undefined }).channel('odds').state.get('a')?.home.toFixed();
       export const { useKey } = typedHooks<Market>();`,
    );
    const strict = ['--noEmit', '--strict', '--exactOptionalPropertyTypes', '--target', 'es2022'];
    const how = ['--module', module, '--moduleResolution', resolution, '--types', 'react'];
    await app.own(`${typescript}/bin/tsc`, [...strict, ...how, '--lib', 'es2022', 'types.ts']);
  });

  it('bundles with webpack for pages', async () => {
    await app.own('.bin/webpack', ['./app.mjs', '--mode', 'production', '-o', 'webpack']);
    expect(await said(app.read('webpack/main.js'))).toBe('a,1');
  });

  it('bundles with webpack for Node', async () => {
    const node = ['--target', 'node', '--output-filename', 'node.cjs'];
    await app.own('.bin/webpack', ['./app.mjs', '--mode', 'production', '-o', 'webpack', ...node]);
    expect(await app.own('node24/bin/node', ['webpack/node.cjs', cluster.url])).toBe('a,1\n');
  });

  it('bundles with Rollup for pages', async () => {
    const resolve = ['--plugin', 'node-resolve={browser: true}'];
    await app.own('.bin/rollup', ['app.mjs', '--file', 'rollup.js', '--format', 'iife', ...resolve]);
    expect(await said(app.read('rollup.js'))).toBe('a,1');
  });

  it.each(['--turbopack', '--webpack'])('Next builds a page of React on its server (%s)', async (bundler) => {
    app.write(
      'app/layout.jsx',
      'export default ({ children }) => <html lang="en"><body>{children}</body></html>;',
    );
    app.write(
      'app/board.jsx',
      `'use client';
       import { connect } from '@weir/client';
       import { useChannel, useStatus, WeirProvider } from '@weir/react';
       const Lobby = () => <p>{useStatus()} {useChannel('lobby').size}</p>;
       export const Board = () => (
         <WeirProvider connect={() => connect({ url: 'wss://weir.test' })}><Lobby /></WeirProvider>
       );`,
    );
    app.write('app/page.jsx', `import { Board } from './board.jsx'; export default () => <Board />;`);
    await app.own('.bin/next', ['build', bundler]);
    expect(app.read('.next/server/app/index.html')).toMatch(/connecting<!-- --> <!-- -->0/);
  });

  it(`connects with the URL of React Native (${REACT_NATIVE})`, async () => {
    await app.pack(REACT_NATIVE, 'react-native');
    for (const file of ['URL', 'URLSearchParams']) {
      const path = `react-native/package/Libraries/Blob/${file}.js`;
      app.write(`blob/${file}.js`, await app.own('.bin/flow-remove-types', ['--pretty', path]));
    }
    app.write('blob/NativeBlobModule.js', 'export default undefined;');
    app.write('native.mjs', `import { URL } from './blob/URL.js'; globalThis.URL = URL;`);
    app.write('native-app.mjs', `import './native.mjs'; import './app.mjs';`);
    const how = ['--bundle', '--format=iife', '--platform=neutral', '--conditions=react-native'];
    const bundle = await app.own('.bin/esbuild', ['native-app.mjs', ...how]);
    expect(await saidIn(bundle, { router: cluster.url, URL: undefined })).toBe('a,1');
  });
});

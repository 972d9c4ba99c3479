// The applications of examples/ that need an installation, and the page of docs/react.md that loses no goal, outside of the
// repository with the packed SDK: their types, their build, and the tests of live-page.ts in Chromium, with Vite's
// development server (where React's StrictMode mounts everything twice) and as they are built. examples/lobby is in
// test/cluster/browser.
import { readFileSync } from 'node:fs';
import { describe, it } from 'vitest';
import { ODDS } from '../../harness/feeds.ts';
import { freePort } from '../../harness/free-port.ts';
import { Installed } from '../../harness/installed.ts';
import type { Served } from '../../harness/live-page.ts';
import { PRINTED_URL, survivesAndReturns } from '../../harness/live-page.ts';
import { blocksOf } from '../../harness/programs/documents.ts';
import { StartedProgram } from '../../harness/programs/started-program.ts';
import { isWanted, why } from './wanted.ts';

/** The file of each that has the router's address, and what checks its types. */
const APPS = [
  { name: 'odds-board', file: 'src/main.tsx', check: ['.bin/tsc'] },
  { name: 'scores', file: 'src/feed.ts', check: ['.bin/svelte-check', '--fail-on-warnings'] },
] as const;
type App = (typeof APPS)[number];

async function install({ name, file, check }: App, options: string): Promise<Installed> {
  const app = await Installed.example(name);
  const source = app.read(file);
  if (!source.includes(PRINTED_URL)) throw new Error(`examples/${name}/${file} has no ${PRINTED_URL}`);
  app.write(file, source.replace(PRINTED_URL, options));
  const [tool, ...args] = check;
  await app.own(tool, args);
  return app;
}

/** What `npm create vite` gives, as far as the page needs it. */
const FRESH = [
  ...['vite@8.4.0', '@vitejs/plugin-react@6.3.0', 'typescript@7.0.2'],
  ...['react@19.3.1', 'react-dom@19.3.1', '@types/react@19.3.3', '@types/react-dom@19.3.0'],
];
const STRICT = ['--noEmit', '--strict', '--exactOptionalPropertyTypes', '--noUnusedLocals'];
const BUNDLED = ['--module', 'esnext', '--moduleResolution', 'bundler', '--target', 'es2022'];

/** The page of docs/react.md, as printed, in a fresh application. */
async function fresh(options: string): Promise<Installed> {
  const markdown = readFileSync(new URL('../../../docs/react.md', import.meta.url), 'utf8');
  const page = blocksOf('react', markdown).find(({ file }) => file === 'goals.tsx')?.body ?? '';
  if (!page.includes(PRINTED_URL)) throw new Error(`docs/react.md has no ${PRINTED_URL}`);
  const app = await Installed.install({ fetched: FRESH });
  app.write('src/main.tsx', page.replace(PRINTED_URL, options));
  const icon = '<link rel="icon" href="data:,">'; // else a browser asks for one, and says that there is none
  app.write('index.html', `${icon}<div id="root"></div><script type="module" src="/src/main.tsx"></script>`);
  app.write(
    'vite.config.js',
    `import react from '@vitejs/plugin-react'; export default { plugins: [react()] };`,
  );
  await app.own('.bin/tsc', ['src/main.tsx', '--jsx', 'react-jsx', ...STRICT, ...BUNDLED]);
  return app;
}

/** Starts Vite in the folder; `args` say what of it. */
async function vite(app: Installed, ...args: readonly string[]): Promise<Served> {
  const port = await freePort();
  const where = ['--host', '127.0.0.1', '--port', port, '--strictPort'];
  const program = new StartedProgram([app.path('node_modules/.bin/vite'), ...args, ...where], app.folder);
  await program.line(/Local:/);
  const stop = async (): Promise<void> => {
    await program.end();
    app.remove();
  };
  return { url: `http://127.0.0.1:${port}/`, stop };
}

const PAGES: readonly { name: string; installed: (options: string) => Promise<Installed> }[] = [
  { name: 'docs/react.md', installed: fresh },
  ...APPS.map((app) => ({
    name: `examples/${app.name}`,
    installed: (options: string) => install(app, options),
  })),
];

if (isWanted)
  for (const { name, installed } of PAGES) {
    survivesAndReturns(`${name} in development`, ODDS, async (options) => vite(await installed(options)));
    survivesAndReturns(`${name} as it is built`, ODDS, async (options) => {
      const app = await installed(options);
      await app.own('.bin/vite', ['build', '--logLevel', 'warn']);
      return vite(app, 'preview');
    });
  }
else
  describe('the pages of examples/', () => {
    it.skip(`survive what a page has to survive${why}`, () => {});
  });

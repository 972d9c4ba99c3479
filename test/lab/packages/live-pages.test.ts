// The applications of examples/ that need an installation, outside of the repository with the packed SDK: their types, their
// build, and the tests of live-page.ts in Chromium, with Vite's development server (where React's StrictMode mounts
// everything twice) and as they are built. examples/lobby is in test/cluster/browser.
import { describe, it } from 'vitest';
import { ODDS } from '../../harness/feeds.ts';
import { freePort } from '../../harness/free-port.ts';
import { Installed } from '../../harness/installed.ts';
import type { Served } from '../../harness/live-page.ts';
import { PRINTED_URL, survivesAndReturns } from '../../harness/live-page.ts';
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

if (isWanted)
  for (const app of APPS) {
    survivesAndReturns(`examples/${app.name} in development`, ODDS, async (options) =>
      vite(await install(app, options)),
    );
    survivesAndReturns(`examples/${app.name} as it is built`, ODDS, async (options) => {
      const installed = await install(app, options);
      await installed.own('.bin/vite', ['build', '--logLevel', 'warn']);
      return vite(installed, 'preview');
    });
  }
else
  describe('the pages of examples/', () => {
    it.skip(`survive what a page has to survive${why}`, () => {});
  });

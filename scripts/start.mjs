// `npm start`: installs what is missing, builds, and runs the whole cluster in this process (local/src/main.ts).
// package.json says `exec node`, so that no shell is between npm and this process and swallows its signals.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { missingNats } from './needs.mjs';
import { checkNode, command, ROOT, setUp } from './set-up.mjs';

const helpWanted = process.argv.slice(2).some((word) => word === '--help' || word === '-h');

await command(async () => {
  if (helpWanted) {
    process.stdout.write(readFileSync(join(ROOT, 'local/help.txt')));
    return;
  }
  checkNode(process.versions.node);
  const problem = await problemOf(process.argv.slice(2));
  if (problem !== undefined) {
    console.error(problem); // before the answer that a cluster runs, which is another question
    process.exitCode = 2;
    return;
  }
  const runs = await whatRuns();
  if (runs !== undefined) {
    console.log(runs); // before the build, which would replace the programs of the running cluster
    process.exitCode = 1;
    return;
  }
  await setUp({ before: () => missingNats({ env: process.env, cache: join(ROOT, '.cache/nats') }) });
  await import('../local/dist/main.js');
});

/** What is wrong with the options, as a sentence; after the first build it is known before all else. */
async function problemOf(argv) {
  const built = new URL('../local/dist/arguments.js', import.meta.url);
  if (!existsSync(built)) return undefined;
  const { problem } = (await import(built)).parseArguments(argv);
  return problem === undefined ? undefined : `${problem} (npm start -- --help shows how)`;
}

/** The cluster that already runs from this repository, as a sentence; without a build nothing can run. */
async function whatRuns() {
  const built = new URL('../local/dist/state/running.js', import.meta.url);
  if (!existsSync(built) || !existsSync(`${ROOT}/.weir`)) return undefined;
  return (await import(built)).whatRuns();
}

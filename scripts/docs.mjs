// `npm run docs`: the site of docs/ into site/dist; `-- --serve` shows it instead, and follows changes. What it needs is
// installed into site/ by itself, the first time.
import { join } from 'node:path';
import { command, installInto, ROOT, runTool, setUp } from './set-up.mjs';

const SITE = join(ROOT, 'site');

/** Resolves to the exit code. A link that leads nowhere, or a part of the SDK without a description, is an error. */
export async function buildSite() {
  return (await describeSdk()) || run('vitepress', ['build']);
}

/** The API reference, from the types of the SDK: pages in docs/api. */
function describeSdk() {
  return run('typedoc', []);
}

async function run(tool, args) {
  await installInto(SITE);
  return runTool(tool, args, { folder: SITE });
}

if (process.argv[1] === import.meta.filename) {
  await command(async () => {
    const [first, ...rest] = process.argv.slice(2);
    if (first !== undefined && first !== '--serve') {
      console.error(
        `npm run docs knows --serve and VitePress' options behind it (--port 5173), not ${first}`,
      );
      process.exitCode = 2;
      return;
    }
    await setUp(); // the types of one package need the builds of the others
    const isServing = first === '--serve';
    process.exitCode = isServing
      ? (await describeSdk()) || (await run('vitepress', ['dev', ...rest]))
      : await buildSite();
    if (!isServing && process.exitCode === 0) console.log('built: site/dist');
  });
}

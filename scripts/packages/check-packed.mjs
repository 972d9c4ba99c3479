// Checks the packed files of published packages: resolvers and TypeScript find everything (publint, attw), every file
// is reachable, and the files for pages are within their budgets.
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { ROOT, runTool } from '../set-up.mjs';
import { pack } from './pack.mjs';

/** Maximum gzipped bytes of the file that bundlers use for a page. */
const BUDGETS = { '@weir/client': ['dist/weir.js', 8_192], '@weir/react': ['dist/index.js', 1_536] };
const OF_EVERY_PACKAGE = ['LICENSE', 'README.md', 'package.json'];

/** Prints the problems; returns an exit code. */
export async function checkPacked() {
  const folder = await mkdtemp(join(tmpdir(), 'weir-packed-'));
  try {
    let failed = 0;
    for (const packed of await pack(folder)) {
      const { manifest, tarball } = packed;
      console.log(`${manifest.name}: ${packed.files.length} files`);
      for (const problem of [...unreachable(packed), ...(await overBudget(packed))]) {
        console.error(`${manifest.name}: ${problem}`);
        failed++;
      }
      // Suggestions are printed and do not fail: resolvers from before `exports` read `browser` as an object.
      if ((await runTool('publint', ['run', tarball, '--strict'])) !== 0) failed++;
      if ((await runTool('attw', [tarball, '--format', 'ascii', '--no-emoji'])) !== 0) failed++;
    }
    return failed === 0 ? 0 : 1;
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** Files that neither an entry of `package.json` nor a source map leads to, and entries without a file. */
function unreachable({ manifest, files }) {
  const { files: _, ...rest } = manifest;
  const entries = [...JSON.stringify(rest).matchAll(/"\.\/(dist\/[^"]+)"/g)].map(([, path]) => path);
  const reached = new Set([...OF_EVERY_PACKAGE, ...entries]);
  const isReached = (path) => reached.has(path) || reached.has(path.replace(/\.map$/, ''));
  return [
    ...files.filter((path) => !isReached(path)).map((path) => `nothing leads to ${path}`),
    ...[...reached].filter((path) => !files.includes(path)).map((path) => `there is no ${path}`),
  ];
}

async function overBudget({ manifest, path }) {
  const [file, budget] = BUDGETS[manifest.name];
  const bytes = gzipSync(await readFile(join(ROOT, path, file)), { level: 9 }).length;
  console.log(`${file}: ${bytes} bytes gzipped, budget ${budget}`);
  return bytes > budget ? [`${file} has ${bytes} bytes gzipped, budget ${budget}`] : [];
}

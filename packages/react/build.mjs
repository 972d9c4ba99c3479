// Builds what is published into dist: index.js, index.cjs and one declaration file for both. Fails where the code
// outgrows its budget or imports anything but React.
import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { rollUp } from '../../scripts/packages/roll-up.mjs';

const BUDGET_BYTES = 1_536;
const here = (path) => fileURLToPath(new URL(path, import.meta.url));

const shared = {
  entryPoints: [here('src/index.ts')],
  bundle: true,
  platform: 'neutral',
  target: 'es2022',
  minify: true,
  legalComments: 'none',
  external: ['react'],
  metafile: true,
  logLevel: 'warning',
  sourcemap: true,
  // Next and others: hooks run in components of the client, never in those of the server.
  banner: { js: '"use client";' },
};

const results = await Promise.all([
  build({ ...shared, outfile: here('dist/index.js'), format: 'esm' }),
  build({ ...shared, outfile: here('dist/index.cjs'), format: 'cjs' }),
]);

const problems = [];
for (const { metafile } of results) {
  for (const [file, { imports }] of Object.entries(metafile.outputs)) {
    for (const { path } of imports) if (path !== 'react') problems.push(`${file} imports ${path}`);
  }
}

const types = rollUp(here('dist/types/index.d.ts'));
await writeFile(here('dist/index.d.ts'), types);
await writeFile(here('dist/index.d.cts'), types);

const bytes = gzipSync(await readFile(here('dist/index.js')), { level: 9 }).length;
if (bytes > BUDGET_BYTES) problems.push(`index.js has ${bytes} bytes gzipped, budget ${BUDGET_BYTES}`);
for (const problem of problems) console.error(`build: ${problem}`);
if (problems.length > 0) process.exit(1);
console.log(`index.js: ${bytes} bytes gzipped (budget ${BUDGET_BYTES})`);

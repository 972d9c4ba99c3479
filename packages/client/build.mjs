// Builds what is published: dist/weir.js (browsers, minified) and dist/index.js (Node). tsc writes the types.
// Fails where the browser file outgrows its budget or where either file imports what it must not.
import { readFile } from 'node:fs/promises';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';

const BUDGET_BYTES = 8_192;
const here = (path) => new URL(path, import.meta.url).pathname;

// The contract's package also holds what only servers need (tickets, hashes). None of it may survive here.
const shared = {
  bundle: true,
  format: 'esm',
  target: 'es2022',
  legalComments: 'none',
  external: ['node:*', 'jose', 'ws'],
  metafile: true,
  logLevel: 'warning',
};

// Names and reasons of the close codes are for servers and logs; a browser needs what follows them.
const slimCloseTable = {
  name: 'slim-close-table',
  setup: ({ onLoad }) =>
    onLoad({ filter: /protocol\/dist\/close-codes\.js$/ }, async ({ path }) => {
      const whole = await readFile(path, 'utf8');
      const contents = whole.replaceAll(/ name: '[^']*', reason: '[^']*',/g, '');
      if (contents === whole) throw new Error('the table of close codes is written in another way');
      return { contents };
    }),
};

const results = await Promise.all([
  build({
    ...shared,
    entryPoints: [here('src/weir.ts')],
    outfile: here('dist/weir.js'),
    platform: 'browser',
    minify: true,
    plugins: [slimCloseTable],
  }),
  build({ ...shared, entryPoints: [here('src/index.ts')], outfile: here('dist/index.js'), platform: 'node' }),
]);

const problems = [];
const allowed = { 'weir.js': [], 'index.js': ['ws'] };
for (const { metafile } of results) {
  for (const [file, output] of Object.entries(metafile.outputs)) {
    const name = file.split('/').at(-1);
    for (const { path } of output.imports) {
      if (!allowed[name]?.includes(path)) problems.push(`${name} imports ${path}`);
    }
  }
}

const minified = await readFile(here('dist/weir.js'));
const gzipBytes = gzipSync(minified, { level: 9 }).length;
if (gzipBytes > BUDGET_BYTES) problems.push(`weir.js has ${gzipBytes} bytes gzipped, budget ${BUDGET_BYTES}`);
for (const problem of problems) console.error(`build: ${problem}`);
if (problems.length > 0) process.exit(1);
console.log(`weir.js: ${minified.length} bytes, ${gzipBytes} gzipped (budget ${BUDGET_BYTES})`);

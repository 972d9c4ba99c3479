// Builds what is published into dist: for Node index.js and index.cjs, for browsers and React Native weir.js and
// weir.cjs (minified), for a <script> weir.global.js, and one declaration file for all of them; keys.js and keys.cjs with
// their own. Fails where the browser file outgrows its budget or where a file imports what it must not.
import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { rollUp } from '../../scripts/packages/roll-up.mjs';

const BUDGET_BYTES = 8_192;
const here = (path) => fileURLToPath(new URL(path, import.meta.url));

// The contract's package also holds what only servers need (tickets, hashes). None of it may survive here.
const shared = {
  bundle: true,
  target: 'es2022',
  legalComments: 'none',
  external: ['node:*', 'jose', 'ws'],
  metafile: true,
  logLevel: 'warning',
  sourcemap: true,
};

/**
 * Names of the SDK's own, which no caller, no platform and no message uses: weir.js says them in a letter or two. Only
 * names that stand in this list are shortened.
 */
const INNER =
  /^(?:announce|began|begins|cancel|changes|declareLoss|delayMs|endIterations|failures|feeds|forgetHalf|forgetUnwanted|forgotten|hasHoles|heardMs|hears|isQuiet|lastId|livedMs|markSnapshot|onClose|onEnd|onLife|onMessage|onWelcome|recall|request|seesPings|shown|stateIsGone|streamBegan|tokenPrefix|turn|wallMs|wanted|wants)$/;

const node = { ...shared, entryPoints: [here('src/index.ts')], platform: 'node' };
const browser = {
  ...shared,
  entryPoints: [here('src/weir.ts')],
  platform: 'browser',
  minify: true,
  mangleProps: INNER,
};

/** For a <script>. It sets the global itself: the wrapper that esbuild makes for `globalName` costs 200 bytes. */
const { entryPoints: _, ...withoutEntry } = browser;
const script = {
  ...withoutEntry,
  stdin: {
    contents: "import { connect, WeirError } from './weir.ts'; globalThis.Weir = { connect, WeirError };",
    resolveDir: here('src'),
    sourcefile: 'weir.global.ts',
    loader: 'ts',
  },
};

/** Apart from the rest, since few pages need it and the budget of weir.js is nearly used up. */
const keys = { ...browser, entryPoints: [here('src/keys.ts')] };

const results = await Promise.all([
  build({ ...node, outfile: here('dist/index.js'), format: 'esm' }),
  build({ ...node, outfile: here('dist/index.cjs'), format: 'cjs' }),
  build({ ...browser, outfile: here('dist/weir.js'), format: 'esm' }),
  build({ ...browser, outfile: here('dist/weir.cjs'), format: 'cjs' }),
  build({ ...script, outfile: here('dist/weir.global.js'), format: 'iife' }),
  build({ ...keys, outfile: here('dist/keys.js'), format: 'esm' }),
  build({ ...keys, outfile: here('dist/keys.cjs'), format: 'cjs' }),
]);

const problems = [];
const allowed = { 'index.js': ['ws'], 'index.cjs': ['ws'] };
for (const { metafile } of results) {
  for (const [file, output] of Object.entries(metafile.outputs)) {
    const name = file.split('/').at(-1);
    if (name === 'weir.js' && output.exports.join() !== 'WeirError,connect')
      problems.push(`weir.global.js lacks some of ${output.exports.join(', ')}`);
    for (const { path } of output.imports) {
      if (!allowed[name]?.includes(path)) problems.push(`${name} imports ${path}`);
    }
  }
}

const types = rollUp(here('dist/types/index.d.ts'));
if (types !== rollUp(here('dist/types/weir.d.ts'))) problems.push('the two entries have different types');
await writeFile(here('dist/index.d.ts'), types);
await writeFile(here('dist/index.d.cts'), types);
for (const ending of ['ts', 'cts'])
  await writeFile(here(`dist/keys.d.${ending}`), rollUp(here('dist/types/keys.d.ts')));

const sizes = {};
for (const name of ['weir.js', 'weir.cjs', 'weir.global.js']) {
  sizes[name] = gzipSync(await readFile(here(`dist/${name}`)), { level: 9 }).length;
}
// weir.cjs is the same code in a wrapper of 200 bytes, for bundlers, which take it apart.
for (const name of ['weir.js', 'weir.global.js'])
  if (sizes[name] > BUDGET_BYTES)
    problems.push(`${name} has ${sizes[name]} bytes gzipped, budget ${BUDGET_BYTES}`);
for (const problem of problems) console.error(`build: ${problem}`);
if (problems.length > 0) process.exit(1);
console.log(`bytes gzipped (budget ${BUDGET_BYTES}): ${JSON.stringify(sizes)}`);

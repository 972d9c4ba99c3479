// `node scripts/bundle-service.mjs SERVICE`, which `npm run build` calls: writes the programs of a service as a few files
// to dist/bundle, with the licences of all that is in them. A process that loads 200 files uses three times as much
// processor to start, and an image needs the trees of 50 packages of which a service uses a small part.
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const NODE_MODULES = 'node_modules/';

/** The programs of each service, as paths below dist. A thread is a program, too. */
const PROGRAMS = {
  router: ['main'],
  shard: ['main', 'fan-out-thread/thread-main'],
  publisher: ['main', 'cli/main'],
  control: ['main'],
};

/** Files that a program serves to browsers, beside its bundle: a folder of its own, and files of packages. */
const SERVED = {
  control: {
    page: 'services/control/page',
    packages: { uplot: ['dist/uPlot.esm.js', 'dist/uPlot.min.css'] },
  },
};

/** How our programs become bundles: `build` of esbuild with `entryPoints` and `outdir`. */
export const BUNDLE_OPTIONS = {
  bundle: true,
  // What two programs share stands once; what is imported late is a file of its own.
  splitting: true,
  platform: 'node',
  format: 'esm',
  target: 'node20.19',
  chunkNames: 'chunk-[hash]',
  absWorkingDir: ROOT,
  legalComments: 'none',
  sourcemap: true,
  logLevel: 'warning',
  // Some of the packages use these if they are there. Nothing installs them.
  external: ['bufferutil', 'encoding', 'supports-color', 'utf-8-validate'],
  // Some of the packages are CommonJS and require Node's own modules.
  banner: {
    js: "import { createRequire } from 'node:module';\nconst require = createRequire(import.meta.url);",
  },
  plugins: [ownVersion(), withoutSideEffects('@kubernetes/client-node')],
};

/** Folders of the npm packages of which a service's programs contain code, below the project. */
export async function bundledPackages(service) {
  const { metafile } = await bundle(service, { write: false });
  return foldersOf(service, metafile);
}

async function bundleService(service) {
  const outdir = join(ROOT, 'services', service, 'dist/bundle');
  const { metafile } = await bundle(service);
  // Only now, and only chunks that no program imports any more: a service may be starting from here.
  const made = Object.keys(metafile.outputs).map((path) => basename(path));
  for (const name of readdirSync(outdir))
    if (name.startsWith('chunk-') && !made.includes(name)) rmSync(join(outdir, name));
  writeFileSync(join(outdir, 'LICENSES.txt'), foldersOf(service, metafile).map(licenceOf).join('\n\n'));
  const { page, packages = {} } = SERVED[service] ?? {};
  if (page !== undefined) cpSync(join(ROOT, page), join(outdir, 'page'), { recursive: true });
  for (const [name, files] of Object.entries(packages)) {
    mkdirSync(join(outdir, 'page', name), { recursive: true });
    for (const file of files)
      cpSync(join(ROOT, NODE_MODULES, name, file), join(outdir, 'page', name, basename(file)));
  }
}

function bundle(service, options) {
  const dist = join(ROOT, 'services', service, 'dist');
  return build({
    ...BUNDLE_OPTIONS,
    entryPoints: PROGRAMS[service].map((program) => join(dist, `${program}.js`)),
    outbase: dist,
    outdir: join(dist, 'bundle'),
    metafile: true,
    ...options,
  });
}

/** The version as text: beside a bundle there is no package.json of the runtime to read it from. */
function ownVersion() {
  return {
    name: 'own-version',
    setup({ onLoad }) {
      onLoad({ filter: /packages\/runtime\/dist\/version\.js$/ }, ({ path }) => {
        const { version } = manifestOf(relative(ROOT, dirname(dirname(path))));
        return { contents: `export const WEIR_VERSION = ${JSON.stringify(version)};` };
      });
    },
  };
}

/** Leaves out the files of a package that only its index names: it does not say itself that they do nothing. */
function withoutSideEffects(name) {
  return {
    name: 'without-side-effects',
    setup({ onResolve, resolve }) {
      onResolve({ filter: /.*/ }, async ({ path, pluginData, ...from }) => {
        const own =
          path === name || (path.startsWith('.') && from.importer.includes(`/${NODE_MODULES}${name}/`));
        if (!own || pluginData === name) return undefined;
        const found = await resolve(path, { ...from, pluginData: name });
        return { ...found, sideEffects: false };
      });
    },
  };
}

function foldersOf(service, metafile) {
  const inputs = Object.values(metafile.outputs).flatMap((output) => Object.entries(output.inputs));
  const folders = inputs
    .filter(([path, { bytesInOutput }]) => bytesInOutput > 0 && path.includes(NODE_MODULES))
    .map(([path]) => packageFolder(path));
  const served = Object.keys(SERVED[service]?.packages ?? {}).map((name) => `${NODE_MODULES}${name}`);
  return [...new Set([...folders, ...served])].toSorted();
}

/** `node_modules/a/node_modules/@b/c/d.js` is of `node_modules/a/node_modules/@b/c`. */
function packageFolder(path) {
  const at = path.lastIndexOf(NODE_MODULES) + NODE_MODULES.length;
  const parts = path.slice(at).split('/');
  return path.slice(0, at) + parts.slice(0, parts[0].startsWith('@') ? 2 : 1).join('/');
}

function manifestOf(folder) {
  return JSON.parse(readFileSync(join(ROOT, folder, 'package.json'), 'utf8'));
}

function licenceOf(folder) {
  const { name, version, license } = manifestOf(folder);
  const file = readdirSync(join(ROOT, folder)).find((one) => /^licen[cs]e/i.test(one));
  const text = file === undefined ? '' : readFileSync(join(ROOT, folder, file), 'utf8').trim();
  return `${name} ${version} (${license})\n${text}\n`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [service] = process.argv.slice(2);
  if (!Object.hasOwn(PROGRAMS, service)) {
    console.error(`usage: node scripts/bundle-service.mjs ${Object.keys(PROGRAMS).join('|')}`);
    process.exit(2);
  }
  await bundleService(service);
}

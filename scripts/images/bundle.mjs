// Owns the packages that images have as one bundled file instead of a tree: a service loads a small part of them, and
// their trees are most of an image. Reads installed packages; downloads nothing.
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { ROOT } from '../set-up.mjs';

/** By package: the names that our code imports from it, and the package from which esbuild resolves it. */
export const BUNDLED = {
  // packages/kubernetes/src/access.ts reads kubeconfig files with it; pods with a service account do not load it.
  '@kubernetes/client-node': { names: ['KubeConfig'], importedBy: 'packages/kubernetes' },
};

const NODE_MODULES = 'node_modules/';

/** Writes the bundle of a package where Node looks for the package, with the licences of all its parts. */
export async function writeBundle(name, target) {
  const { code, packages } = await bundle(name);
  const { version, license } = manifestOf(join(NODE_MODULES, name));
  const folder = join(target, NODE_MODULES, name);
  mkdirSync(folder, { recursive: true });
  const manifest = { name, version, license, type: 'module', exports: './index.js' };
  writeFileSync(join(folder, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`);
  writeFileSync(join(folder, 'index.js'), code);
  writeFileSync(join(folder, 'LICENSES.txt'), packages.map(licenceOf).join('\n\n'));
}

/** The code, and the folders of its packages. */
export async function bundle(name) {
  const { names, importedBy } = BUNDLED[name];
  const { outputFiles, metafile } = await build({
    stdin: {
      contents: `export { ${names.join(', ')} } from '${name}';`,
      resolveDir: join(ROOT, importedBy),
      loader: 'js',
    },
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20.19',
    absWorkingDir: ROOT,
    legalComments: 'none',
    // Some of the packages use these if they are installed. No image has them.
    external: ['bufferutil', 'encoding', 'supports-color', 'utf-8-validate'],
    // Some of the packages are CommonJS and require Node's own modules.
    banner: {
      js: "import { createRequire } from 'node:module';\nconst require = createRequire(import.meta.url);",
    },
    plugins: [withoutSideEffects(name)],
    write: false,
    metafile: true,
  });
  const inputs = Object.values(metafile.outputs).flatMap((output) => Object.entries(output.inputs));
  const folders = inputs
    .filter(([path, { bytesInOutput }]) => bytesInOutput > 0 && path.includes(NODE_MODULES))
    .map(([path]) => packageFolder(path));
  return { code: outputFiles[0].text, packages: [...new Set(folders)].toSorted() };
}

/** Drops files of the package that only its index names: it does not declare that they have no side effects. */
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

/** `node_modules/a/node_modules/@b/c/d.js` belongs to `node_modules/a/node_modules/@b/c`. */
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

// Owns the list of files of a service at run time: its own build, and the workspaces and npm packages that it needs in
// production, some of them as one file (bundle.mjs). Reads package-lock.json and the installed packages; fetches
// nothing.
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ROOT } from '../set-up.mjs';
import { BUNDLED, writeBundle } from './bundle.mjs';

/** Files of a package that no program needs. */
const LEFT_OUT = /(\.map|\.d\.[cm]?ts|\.tsbuildinfo|\.md|\.ts|\.tgz)$/i;
const LEFT_OUT_FOLDERS = new Set([
  'test',
  'tests',
  '__tests__',
  'example',
  'examples',
  '.github',
  'coverage',
]);

/**
 * Paths in `package-lock.json` that a service needs, its own first. For a package that `isOneFile` accepts, only the
 * package's own path.
 */
export function closure(service, isOneFile = isBundled) {
  const packages = readLock();
  const found = new Set();
  const visit = (path) => {
    if (found.has(path)) return;
    found.add(path);
    if (isOneFile(path)) return;
    const { dependencies = {}, optionalDependencies = {} } = packages[path];
    for (const name of Object.keys({ ...dependencies, ...optionalDependencies })) {
      const at = locate(packages, path, name);
      if (at !== undefined) visit(at);
      else if (!(name in optionalDependencies))
        throw new Error(`${path} needs ${name}, but the lock file does not have it`);
    }
  };
  visit(`services/${service}`);
  return [...found];
}

/** Copies a service into `target`, with the project's layout. */
export async function copyService(service, target) {
  rmSync(target, { recursive: true, force: true });
  for (const path of closure(service)) {
    if (isBundled(path)) await writeBundle(nameOf(path), target);
    else copyPackage(path, target);
  }
}

function isBundled(path) {
  return Object.hasOwn(BUNDLED, nameOf(path));
}

function nameOf(path) {
  return path.split('node_modules/').at(-1);
}

function copyPackage(path, target) {
  const isOurs = !path.includes('node_modules/');
  const from = join(ROOT, path);
  if (!existsSync(from)) {
    if (readLock()[path]?.optional === true) return; // for another platform
    throw new Error(`${path} is not installed: run npm ci`);
  }
  if (!isOurs) {
    copyFolder(from, join(target, path));
    return;
  }
  if (!existsSync(join(from, 'dist'))) throw new Error(`${path} is not built: run npm run build`);
  const { name } = JSON.parse(readFileSync(join(from, 'package.json'), 'utf8'));
  // The path where Node looks for it: a service keeps its path in the project, a package its name.
  const at = path.startsWith('services/') ? path : join('node_modules', name);
  for (const part of ['package.json', 'dist', 'bin', 'data'].filter((one) => existsSync(join(from, one))))
    copyFolder(join(from, part), join(target, at, part));
}

function copyFolder(from, to) {
  mkdirSync(dirname(to), { recursive: true });
  cpSync(from, to, {
    recursive: true,
    filter: (source) => {
      const below = source.slice(from.length);
      if (below === '') return true;
      const names = below.split('/').filter((part) => part !== '');
      // A folder of tests is one only at the package's root; deeper, it may be code.
      const isForTests = LEFT_OUT_FOLDERS.has(names[0]);
      return !names.includes('node_modules') && !isForTests && !LEFT_OUT.test(below);
    },
  });
}

/** The path where Node would find it: beside the package, then further up. */
function locate(packages, path, name) {
  for (let at = path; ; at = dirname(at)) {
    const candidate = at === '.' || at === '' ? `node_modules/${name}` : `${at}/node_modules/${name}`;
    const entry = packages[candidate];
    if (entry !== undefined) return entry.link === true ? entry.resolved : candidate;
    if (at === '.' || at === '') return undefined;
  }
}

let packages;
/** The packages of package-lock.json, by path. */
export function readLock() {
  packages ??= JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')).packages;
  return packages;
}

/** Services that have a process, and therefore an image. */
export function servicesThere(names) {
  return names.filter((name) => existsSync(join(ROOT, 'services', name, 'src/main.ts')));
}

// Owns what an image has of a service, and the list of packages that the service would need without its bundle. Reads
// package-lock.json and what is built; fetches nothing.
import { cpSync, existsSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ROOT } from '../set-up.mjs';

/** Paths of `package-lock.json` that a service needs in production, its own first. */
export function closure(service) {
  const packages = readLock();
  const found = new Set();
  const visit = (path) => {
    if (found.has(path)) return;
    found.add(path);
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

/** Copies what an image has of a service into `target`, with the project's layout: the bundle, and what names it. */
export function copyService(service, target) {
  rmSync(target, { recursive: true, force: true });
  const at = join('services', service);
  if (!existsSync(join(ROOT, at, 'dist/bundle'))) throw new Error(`${at} is not built: run npm run build`);
  for (const part of ['package.json', 'dist/bundle'])
    cpSync(join(ROOT, at, part), join(target, at, part), {
      recursive: true,
      filter: (source) => !source.endsWith('.map'),
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

/** Services that have a process, and so an image. */
export function servicesThere(names) {
  return names.filter((name) => existsSync(join(ROOT, 'services', name, 'src/main.ts')));
}

// Packs the published packages as `npm publish` would, from the current build.
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ROOT } from '../set-up.mjs';

/** The folders of the published packages, dependencies first. */
const PUBLISHED = ['packages/client', 'packages/react'];

/** Packs all into `folder`, which exists. Returns for each its path, its `package.json` and its files. */
export async function pack(folder) {
  const args = ['pack', ...PUBLISHED.flatMap((path) => ['-w', path]), '--pack-destination', folder];
  const { stdout } = await promisify(execFile)('npm', [...args, '--json', '--silent', '--ignore-scripts'], {
    cwd: ROOT,
  });
  // npm 11 prints a list, npm 12 an object by name.
  return Object.values(JSON.parse(stdout)).map(({ name, filename, files }) => {
    const path = PUBLISHED.find((one) => manifest(one).name === name);
    return {
      path,
      manifest: manifest(path),
      tarball: join(folder, filename),
      files: files.map((file) => file.path),
    };
  });
}

function manifest(path) {
  return JSON.parse(readFileSync(join(ROOT, path, 'package.json'), 'utf8'));
}

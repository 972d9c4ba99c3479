// Installs the Python library that tests of other clients need, once, into a folder that git ignores. If that fails, it
// says why, and those tests are skipped by name.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './set-up.mjs';

const LIBRARY = 'websockets==15.0.1';
const FOLDER = join(ROOT, '.cache/python');
/** Tried in this order until one works. */
const INSTALLERS = [
  ['python3', '-m', 'pip', 'install'],
  ['pip3', 'install'],
  ['uv', 'pip', 'install'],
];
const PATIENCE_MS = 60_000;

/** Installs the library if it is missing; never throws. */
export function providePython(say) {
  if (process.env['WEIR_PYTHON_PATH'] !== undefined || existsSync(join(FOLDER, 'websockets'))) return;
  const found = INSTALLERS.find(([program, ...args]) => install(program, args));
  say(
    found === undefined
      ? `no ${LIBRARY} for Python (tried ${INSTALLERS.map(([program]) => program).join(', ')}): tests that need it are skipped`
      : `installed ${LIBRARY} for Python by ${found.join(' ')} into .cache/python`,
  );
}

function install(program, args) {
  const quiet = program === 'uv' ? ['--quiet'] : ['--quiet', '--disable-pip-version-check', '--retries=1'];
  const all = [...args, ...quiet, '--target', FOLDER, LIBRARY];
  return spawnSync(program, all, { stdio: 'ignore', timeout: PATIENCE_MS }).status === 0;
}

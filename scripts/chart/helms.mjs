// Finds the Helm programs of the PATH: `helm`, `helm3` and `helm4`, one per major version.
import { spawnSync } from 'node:child_process';

/** Newest first. */
export function helms() {
  const found = new Map();
  for (const program of ['helm', 'helm4', 'helm3']) {
    const { status, stdout } = spawnSync(program, ['version', '--short'], { encoding: 'utf8' });
    const version = status === 0 ? /v(\d+)\.\d+(\.\d+)?/.exec(stdout) : null;
    if (version === null) continue;
    const major = Number(version[1]);
    if (!found.has(major)) found.set(major, { program, major, version: version[0].slice(1) });
  }
  return [...found.values()].toSorted((a, b) => b.major - a.major);
}

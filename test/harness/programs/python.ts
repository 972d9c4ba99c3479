// Whether and how Python programs can run here: python3, and the `websockets` library from scripts/python.mjs.
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

const root = new URL('../../../', import.meta.url).pathname;
const folder = process.env['WEIR_PYTHON_PATH'] ?? join(root, '.cache/python');

/** Why Python clients cannot run here; undefined if they can. */
export function whyNoPython(): string | undefined {
  if (!existsSync(join(folder, 'websockets'))) {
    return 'no websockets: `npm test` installs it where pip works, or set WEIR_PYTHON_PATH';
  }
  try {
    execFileSync('python3', ['--version'], { stdio: 'ignore' });
    return undefined;
  } catch {
    return 'no python3';
  }
}

/** Environment for a Python program: with the library, and without proxies, which it would use for loopback too. */
export function pythonEnvironment(): NodeJS.ProcessEnv {
  const { HTTP_PROXY, HTTPS_PROXY, ALL_PROXY, http_proxy, https_proxy, all_proxy, ...env } = process.env;
  return { ...env, PYTHONPATH: folder, PYTHONDONTWRITEBYTECODE: '1' };
}

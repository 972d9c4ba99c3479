// The cluster of `npm start` for a program of this folder: the one that runs from here, or one on free ports until the
// program ends.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { ROOT } from './set-up.mjs';

const LOCAL_FILE = `${ROOT}.weir/local.json`;

/** Calls `use` with what `.weir/local.json` says. */
export async function withCluster(use) {
  const started = existsSync(LOCAL_FILE) ? undefined : await start();
  try {
    return await use(JSON.parse(readFileSync(LOCAL_FILE, 'utf8')));
  } finally {
    if (started !== undefined) {
      started.kill('SIGTERM');
      await once(started, 'exit');
    }
  }
}

async function start() {
  const args = [`${ROOT}local/dist/main.js`, '--port', '0'];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  for await (const line of createInterface({ input: child.stdout })) if (line.startsWith('ready')) break;
  child.stdout.resume();
  return child;
}

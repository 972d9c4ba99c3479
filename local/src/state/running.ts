// Owns the message that a cluster already runs. scripts/start.mjs also uses it, before it would build under a running
// cluster.

import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { withoutPassword } from '../nats/open-nats.ts';
import { holderOf } from './claim.ts';
import { type LocalState, readLocalFile } from './local-file.ts';

/** The repository's folder, seen from `local/src/state` or `local/dist/state`. */
export const ROOT: string = fileURLToPath(new URL('../../../', import.meta.url));
export const STATE_FOLDER: string = join(ROOT, '.weir');
export const LOCAL_FILE: string = join(STATE_FOLDER, 'local.json');

/** The message about the cluster that runs from this repository; undefined if none runs. */
export function whatRuns(): string | undefined {
  const pid = holderOf(STATE_FOLDER);
  return pid === undefined ? undefined : runningText(pid, readLocalFile(LOCAL_FILE));
}

/** The message that a cluster already runs, with its addresses. */
export function runningText(pid: number, state: LocalState | undefined): string {
  if (state?.pid !== pid) return `a cluster is being started from here already (process ${pid})`;
  return [
    `a cluster runs from here already (process ${pid}):`,
    `  page       ${state.page}`,
    `  router     ${state.router}/v1/connect`,
    `  publisher  ${state.publisher}`,
    `  console    ${state.console}`,
    `  NATS       ${withoutPassword(state.nats)}`,
    `Stop it with Ctrl-C where it was started, or with: kill ${pid}`,
  ].join('\n');
}

// Ends services that a killed supervisor left running. They end on their own when they notice; this ends the ones that
// do not. Must never end a process that is not certainly one of ours.
import { setTimeout as delay } from 'node:timers/promises';
import type { LocalService } from './local-file.ts';
import { commandOf, identityOf } from './process-identity.ts';

/** Services notice the loss of the supervisor at once, and then have 5 s to end. */
const PATIENCE_MS = 6000;
const LOOK_MS = 100;

export interface OrphanOptions {
  readonly services: readonly LocalService[];
  /** Part of the command line of every service of this repository. */
  readonly folder: string;
  readonly patienceMs?: number;
}

/** Resolves when none is left, with the number that it had to end. */
export async function endOrphans(options: OrphanOptions): Promise<number> {
  const { services, folder, patienceMs = PATIENCE_MS } = options;
  const ours = (pid: number): boolean => {
    const command = Number.isInteger(pid) && pid > 1 ? commandOf(pid) : undefined;
    return command?.includes(folder) === true && identityOf(pid) !== undefined;
  };
  // A shard without its supervisor drains for half a minute, to nowhere.
  for (const { name, pid } of services) if (name === 'shard' && ours(pid)) kill(pid);
  let left = services.map(({ pid }) => pid).filter(ours);
  const until = performance.now() + patienceMs;
  while (left.length > 0 && performance.now() < until) {
    await delay(LOOK_MS);
    left = left.filter(ours);
  }
  for (const pid of left) kill(pid);
  return left.length;
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // it has just ended
  }
}

// The bench's hand on the clients that mean harm.
import type { ChildProcess } from 'node:child_process';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { FloodOrder } from './flood-process.ts';

/** What they send. */
export const FLOOD_KINDS = [
  'messages',
  'fragments',
  'pings',
  'unmasked',
  'segments',
  'headers',
  'halfOpen',
  'closes',
] as const;
/** Or nothing at all: clients that come, are served for a while and go. */
export type FloodKind = (typeof FLOOD_KINDS)[number] | 'nothing';

export class Flood {
  readonly #child: ChildProcess = fork(fileURLToPath(new URL('./flood-process.js', import.meta.url)));
  #orders = 0;

  /** Says something; answers how many have begun since the flood did, and how many paths are left. */
  async say(order: FloodOrder): Promise<{ readonly begun: number; readonly left: number }> {
    const id = ++this.#orders;
    const answer = once(this.#child, 'message');
    this.#child.send({ id, order });
    const [counts] = (await answer) as [{ readonly begun: number; readonly left: number }];
    return counts;
  }

  async end(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exit = once(this.#child, 'exit');
    this.#child.disconnect();
    await exit;
  }
}

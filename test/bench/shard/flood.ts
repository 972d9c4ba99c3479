// The bench's handle on the hostile clients.
import type { ChildProcess } from 'node:child_process';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { FloodOrder } from './flood-process.ts';

/** What the flooders send. */
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
/** Or nothing: clients that connect, stay for a while and leave. */
export type FloodKind = (typeof FLOOD_KINDS)[number] | 'nothing';

export class Flood {
  readonly #child: ChildProcess = fork(fileURLToPath(new URL('./flood-process.js', import.meta.url)));
  #orders = 0;

  /** Sends an order; resolves with the number of flooders so far, and of paths left. */
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

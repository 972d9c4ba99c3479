// The bench's handle on a process that counts: a publisher or an intake.
import type { ChildProcess } from 'node:child_process';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

export class CountingProcess {
  readonly #child: ChildProcess;
  readonly #ready: Promise<unknown>;

  constructor(script: 'publisher-process' | 'intake-process', args: readonly (string | number)[]) {
    const path = fileURLToPath(new URL(`./${script}.js`, import.meta.url));
    this.#child = fork(path, args.map(String));
    this.#ready = once(this.#child, 'message');
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  async ready(): Promise<void> {
    await this.#ready;
  }

  say(order: 'play' | 'pause'): void {
    this.#child.send(order);
  }

  /** Its count so far. */
  async count(): Promise<number> {
    const answer = once(this.#child, 'message');
    this.#child.send('count');
    const [counts] = (await answer) as [Readonly<Record<string, number>>];
    return Object.values(counts)[0] ?? Number.NaN;
  }

  async end(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exit = once(this.#child, 'exit');
    this.#child.disconnect();
    await exit;
  }
}

// Starts the proxies of proxy-process.mjs. They have their own process, so that they are not the bottleneck.
import type { ChildProcess } from 'node:child_process';
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { end } from './end.ts';

export type Accepts = 'at once' | 'one after the other' | 'side by side';

export class Proxies {
  /** One for each target, in the same order. */
  readonly urls: readonly string[];
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, ports: readonly number[]) {
    this.#child = child;
    this.urls = ports.map((port) => `ws://127.0.0.1:${port}`);
  }

  /** `targets` are ports of this machine. */
  static async start(targets: readonly number[]): Promise<Proxies> {
    const script = fileURLToPath(new URL('./proxy-process.mjs', import.meta.url));
    const child = fork(script, [JSON.stringify(targets)], { execArgv: [] });
    const ports = await new Promise<readonly number[]>((resolve, reject) => {
      child.once('message', (said: { ports: readonly number[] }) => resolve(said.ports));
      child.once('exit', (code) => reject(new Error(`the proxies ended with ${code}`)));
    });
    return new Proxies(child, ports);
  }

  /** Resets all connections, on both sides. */
  cut(): void {
    this.#child.send({ cut: true });
  }

  /** How connections are accepted from now on. */
  accept(how: Accepts): void {
    this.#child.send({ accepts: how });
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    await end(this.#child, 'SIGKILL');
  }
}

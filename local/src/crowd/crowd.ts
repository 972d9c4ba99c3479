// Owns the crowd: hundreds of clients in a process of their own, so that they are not what makes this one slow.
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { CrowdOrder, CrowdReport } from './crowd-words.ts';

const MAX_CROWD = 1_000;
const SCRIPT = fileURLToPath(new URL('./crowd-main.js', import.meta.url));

export class Crowd {
  readonly #url: string;
  readonly #channel: string;
  #child: ChildProcess | undefined;
  #report: CrowdReport | undefined;
  #clients = 0;

  constructor(url: string, channel: string) {
    this.#url = url;
    this.#channel = channel;
  }

  /** What it said last; undefined where there is none. */
  get report(): CrowdReport | undefined {
    return this.#report;
  }

  get clients(): number {
    return this.#clients;
  }

  /** From now on the crowd has so many clients. */
  resize(clients: number): void {
    this.#clients = Math.min(MAX_CROWD, clients);
    if (this.#clients === 0) void this.close();
    else this.#tell({ clients: this.#clients });
  }

  /** Silence and losses count from here on. */
  mark(): void {
    if (this.#child !== undefined) this.#tell({ mark: true });
  }

  async close(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    this.#report = undefined;
    this.#clients = 0;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  }

  #tell(order: CrowdOrder): void {
    this.#child ??= this.#start();
    this.#child.send(order);
  }

  #start(): ChildProcess {
    // Its own group: Ctrl-C in a terminal reaches the supervisor alone. It ends when the supervisor is gone.
    const child = fork(SCRIPT, [this.#url, this.#channel], { execArgv: [], detached: true });
    child.on('message', (report: CrowdReport) => {
      if (this.#child === child) this.#report = report;
    });
    child.on('error', () => {}); // `exit` follows
    child.on('exit', () => {
      if (this.#child !== child) return;
      this.#child = undefined;
      this.#report = undefined;
      this.#clients = 0;
    });
    return child;
  }
}

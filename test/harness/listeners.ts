// Starts a process with thousands of clients on plain sockets (listeners-process.mjs) and gives it orders.
import type { ChildProcess } from 'node:child_process';
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { end } from './end.ts';
import { until } from './small-cluster.ts';

interface Counts {
  readonly asked: number;
  readonly open: number;
  readonly closed: number;
  readonly refused: number;
  readonly bytes: number;
}

interface Order {
  readonly urls?: readonly string[];
  /** Connects per second; 0 opens all together. */
  readonly perSecond?: number;
  readonly stick?: number;
  readonly leave?: number;
  readonly leaveStuck?: boolean;
}

export class Listeners {
  readonly #child: ChildProcess;
  #counts: Counts = { asked: 0, open: 0, closed: 0, refused: 0, bytes: 0 };
  #asked = 0;

  constructor() {
    const script = fileURLToPath(new URL('./listeners-process.mjs', import.meta.url));
    this.#child = fork(script, [], { execArgv: [] });
    this.#child.on('message', (counts: Counts) => {
      this.#counts = counts;
    });
  }

  get open(): number {
    return this.#counts.open;
  }

  /** Clients that were open and have closed. */
  get closed(): number {
    return this.#counts.closed;
  }

  get bytes(): number {
    return this.#counts.bytes;
  }

  /** Opens a client on each URL, `perSecond` of them or all together; resolves when all are open. */
  async join(urls: readonly string[], perSecond = 0): Promise<void> {
    this.#asked += urls.length;
    this.#tell({ urls, perSecond });
    const paceMs = perSecond === 0 ? 0 : (urls.length * 1_000) / perSecond;
    const arrived = (): boolean => {
      const { asked, open, closed, refused } = this.#counts;
      return asked === this.#asked && open + closed + refused === asked;
    };
    await until(arrived, 'all have been answered', paceMs + 60_000);
    if (this.#counts.refused > 0) throw new Error(`${this.#counts.refused} were refused`);
  }

  /** Makes `count` of the clients that read stop reading. */
  stick(count: number): void {
    this.#tell({ stick: count });
  }

  /** Makes `count` clients reset their connections. */
  leave(count: number): void {
    this.#tell({ leave: count });
  }

  leaveStuck(): void {
    this.#tell({ leaveStuck: true });
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    await end(this.#child, 'SIGKILL');
  }

  #tell(order: Order): void {
    this.#child.send(order);
  }
}

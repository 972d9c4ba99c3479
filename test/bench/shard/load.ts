// The bench's hand on the load process: orders go out, reports come back.
import type { ChildProcess } from 'node:child_process';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { LoadOrder, LoadReport } from './load-process.ts';
import type { Server } from './servers.ts';

/** How a load is opened. */
export interface LoadShape {
  readonly clients: number;
  readonly perClient: number;
  /** Connects a second. */
  readonly pace: number;
  readonly sampleEvery: number;
}

const BATCH = 1_000;

export class Load {
  readonly #child: ChildProcess = fork(fileURLToPath(new URL('./load-process.js', import.meta.url)));

  /** Opens the clients, in batches since a ticket lives for a minute only. */
  async open(server: Server, shape: LoadShape): Promise<void> {
    for (let left = shape.clients; left > 0; left -= BATCH) {
      const paths = await server.clientPaths(Math.min(left, BATCH), shape.perClient);
      const { pace, sampleEvery } = shape;
      this.#order({
        order: 'open',
        host: '127.0.0.1',
        port: server.port,
        paths,
        pace,
        sampleEvery,
        greeting: server.greeting,
        extensions: server.extensions,
      });
      await once(this.#child, 'message');
    }
  }

  /** The last so many clients stop reading. */
  stick(clients: number): void {
    this.#order({ order: 'stick', clients });
  }

  /** Counts anew for so long, and reports. */
  async measure(seconds: number): Promise<LoadReport> {
    this.#order({ order: 'reset' });
    await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
    this.#order({ order: 'report' });
    const [report] = (await once(this.#child, 'message')) as [LoadReport];
    return report;
  }

  async end(): Promise<void> {
    this.#order({ order: 'end' });
    await once(this.#child, 'exit');
  }

  #order(order: LoadOrder): void {
    this.#child.send(order);
  }
}

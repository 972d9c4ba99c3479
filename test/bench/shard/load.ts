// The bench's handle on a load process: orders go out, reports come back.
import type { ChildProcess } from 'node:child_process';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { LoadOrder, LoadReport } from './load-process.ts';
import { sleep } from './scenario.ts';
import type { Server } from './servers.ts';

/** How to open a load. */
export interface LoadShape {
  readonly clients: number;
  readonly perClient: number;
  /** Clients whose latency is measured. They are opened first, so that the last ones can become stuck. */
  readonly samples?: number;
  /** The clients never read. */
  readonly stuck?: boolean;
  /** Port to connect to, if not the server's own. */
  readonly port?: number;
}

const BATCH = 1_000;
const CONNECTS_PER_SECOND = 1_000;
const SAMPLES = 50;

export class Load {
  readonly #child: ChildProcess = fork(fileURLToPath(new URL('./load-process.js', import.meta.url)));
  readonly #waiting = new Map<number, (answer: LoadReport | undefined) => void>();
  #orders = 0;

  constructor() {
    this.#child.on('message', ({ id, answer }: { id: number; answer?: LoadReport }) => {
      this.#waiting.get(id)?.(answer);
      this.#waiting.delete(id);
    });
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** Opens the clients in batches, since a ticket is valid for only a minute; resolves when all are open or refused. */
  async open(server: Server, shape: LoadShape): Promise<void> {
    const { perClient, stuck, port = server.port } = shape;
    let samples = shape.samples ?? SAMPLES;
    for (let left = shape.clients; left > 0; left -= BATCH) {
      const batch = Math.min(left, BATCH);
      const paths = await server.clientPaths(batch, perClient);
      const sampled = Math.min(batch, samples);
      samples -= sampled;
      await this.#ask({
        order: 'open',
        host: '127.0.0.1',
        port,
        paths,
        pace: CONNECTS_PER_SECOND,
        sampleEvery: sampled === 0 ? 0 : Math.max(1, Math.floor(batch / sampled)),
        greeting: server.greeting,
        extensions: server.extensions,
        stuck,
      });
    }
  }

  /** Makes clients stop reading, the last ones first. */
  async stick(clients: number): Promise<void> {
    await this.#ask({ order: 'stick', clients });
  }

  /** Disconnects all stuck clients. */
  async dismissStuck(): Promise<void> {
    await this.#ask({ order: 'dismissStuck' });
  }

  /** Resets the counts, waits for `seconds`, and reports. */
  async measure(seconds: number): Promise<LoadReport> {
    await this.#ask({ order: 'reset' });
    await sleep(seconds * 1000);
    return this.report();
  }

  /** The report since the last measurement began. */
  report(): Promise<LoadReport> {
    return this.#report({ order: 'report', brief: false });
  }

  /** The same report without the single latencies. */
  counts(): Promise<LoadReport> {
    return this.#report({ order: 'report', brief: true });
  }

  async #report(order: LoadOrder): Promise<LoadReport> {
    const report = await this.#ask(order);
    if (report === undefined) throw new Error('the load did not report');
    return report;
  }

  async end(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exit = once(this.#child, 'exit');
    this.#child.disconnect();
    await exit;
  }

  #ask(order: LoadOrder): Promise<LoadReport | undefined> {
    const id = ++this.#orders;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, resolve);
      this.#child.send({ id, order }, (error) => {
        if (error !== null) reject(error);
      });
    });
  }
}

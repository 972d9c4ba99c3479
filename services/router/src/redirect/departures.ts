// The upgraded clients and how they go: each has one outcome, then one end of its socket, and both are counted once.
import { timesWithin, watchEnding } from '@weir/runtime';
import type { Client, Gone } from '../accept/client.ts';
import type { RouterConfig } from '../config.ts';
import type { RouterMetrics } from '../metrics.ts';
import type { LastMessage } from './close-client.ts';
import { closeClient } from './close-client.ts';
import type { ConnectOutcome } from './outcome.ts';

/** What an upgraded client is told in the end. */
export interface Answer extends LastMessage {
  readonly outcome: ConnectOutcome;
}

export interface DeparturesOptions {
  readonly config: Pick<RouterConfig, 'closeWaitMs' | 'closeGraceMs' | 'faultCloseMs'>;
  readonly metrics: Pick<RouterMetrics, 'upgrades' | 'connects' | 'endings'>;
}

export class Departures {
  readonly #o: DeparturesOptions;
  readonly #open = new Set<Client>();
  readonly #closing = new Set<Client>();

  constructor(options: DeparturesOptions) {
    this.#o = options;
  }

  /** Clients whose outcome is not known yet, and those whose socket is not gone yet. */
  get counts(): Readonly<Record<'open' | 'closing', number>> {
    return { open: this.#open.size, closing: this.#closing.size };
  }

  /** A client was upgraded; nothing where it had left before. */
  upgraded(client: Client | undefined): void {
    const { metrics } = this.#o;
    metrics.upgrades.inc();
    if (client !== undefined) {
      this.#open.add(client);
      return;
    }
    metrics.connects.inc({ outcome: 'left' });
    metrics.endings.inc({ how: 'left' });
  }

  /** Says the last words to a client that is still there, and waits until its socket is gone. */
  async end(client: Client, answer: Answer): Promise<void> {
    const { metrics } = this.#o;
    const { ws, duplex, gate, gone } = client;
    this.#open.delete(client);
    this.#closing.add(client);
    metrics.connects.inc({ outcome: gone ?? answer.outcome });
    // Where the library has said Close by itself (a protocol error, the client's own Close) there is only the wait.
    if (ws.readyState === ws.OPEN)
      closeClient(ws, gone === 'tooManyMessages' ? { close: 'tooManyMessages' } : answer);
    const inTime = gone === 'left' ? 'left' : 'answered';
    const how = await watchEnding({ duplex, gate, inTime, ...this.#patience(gone) });
    metrics.endings.inc({ how });
    this.#closing.delete(client);
  }

  /** Cuts those that are still here, since the router stops. */
  stop(): void {
    for (const client of [...this.#open, ...this.#closing]) client.stop();
  }

  /** Less for a client that broke the rules. */
  #patience(gone: Gone | undefined): { readonly waitMs: number; readonly graceMs: number } {
    const { closeWaitMs: waitMs, closeGraceMs: graceMs, faultCloseMs } = this.#o.config;
    if (gone === undefined || gone === 'left') return { waitMs, graceMs };
    const within = timesWithin(faultCloseMs);
    return { waitMs: Math.min(waitMs, within.waitMs), graceMs: Math.min(graceMs, within.graceMs) };
  }
}

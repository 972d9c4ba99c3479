// A fake of the NATS library for unit tests: the parts of a connection that the link and its publisher use.
import type { NatsConnection, Status } from '@nats-io/transport-node';

/** A test pushes statuses and answers round trips. */
export class FakeConnection {
  readonly published: string[] = [];
  readonly pools: string[][] = [];
  readonly flushes: { readonly resolve: () => void; readonly reject: (error: Error) => void }[] = [];
  readonly info = { version: '2.10.0' };
  drains = 0;
  destroyed = 0;
  /** Whether `drain` ends. */
  drainEnds = true;
  /** The internal object that `forceDisconnect` uses. */
  readonly protocol: unknown = {
    transport: {
      socket: {
        destroy: () => {
          this.destroyed += 1;
        },
      },
    },
  };
  #closed = false;
  #outBytes = 0;
  #wake: () => void = () => undefined;
  readonly #statuses: Status[] = [];

  /** The only place where the fake is passed as a real connection. */
  asConnection(): NatsConnection {
    return this as unknown as NatsConnection;
  }

  push(status: Status): void {
    this.#statuses.push(status);
    this.#wake();
  }

  getServer(): string {
    return 'fake:4222';
  }

  publish(subject: string, payload: Uint8Array | string): void {
    this.published.push(subject);
    this.#outBytes += payload.length;
  }

  stats(): { readonly outBytes: number } {
    return { outBytes: this.#outBytes };
  }

  flush(): Promise<void> {
    return new Promise((resolve, reject) => this.flushes.push({ resolve, reject }));
  }

  setServers(servers: string[]): void {
    this.pools.push(servers);
  }

  async drain(): Promise<void> {
    this.drains += 1;
    if (!this.drainEnds) return new Promise(() => undefined);
    await this.close();
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#wake();
  }

  isClosed(): boolean {
    return this.#closed;
  }

  async *status(): AsyncGenerator<Status> {
    for (;;) {
      const next = this.#statuses.shift();
      if (next !== undefined) yield next;
      else if (this.#closed) return;
      else {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
    }
  }
}

// A router and a shard without a network, for the real SDK: they answer at once and then send what a test gives them.
import type { ConnectOptions, Weir } from '@weir/client';
import { connect } from '@weir/client';

interface FakeSocket {
  onmessage: ((event: { readonly data: string }) => void) | null;
}

export class FakeCluster {
  /** URLs of the visits to the router. */
  readonly visits: string[] = [];
  /** Messages of clients to the shard. */
  readonly said: unknown[] = [];
  readonly clients: Weir[] = [];
  readonly #streams = new Set<FakeSocket>();

  /** A client of this cluster; it emits changes at once. */
  connect(options: Partial<ConnectOptions> = {}): Weir {
    const WebSocket = this.#webSocket();
    const client = connect({ url: 'ws://router.test', conflateMs: 0, WebSocket, ...options });
    this.clients.push(client);
    return client;
  }

  /** Sends a message to every open stream. */
  says(message: object): void {
    for (const socket of this.#streams) socket.onmessage?.({ data: JSON.stringify(message) });
  }

  state(set: Readonly<Record<string, unknown>>, channel = 'odds'): void {
    this.says({ type: 'state', channel, set });
  }

  critical(id: number, data: unknown, channel = 'odds'): void {
    this.says({ type: 'critical', channel, id, data });
  }

  get streams(): number {
    return this.#streams.size;
  }

  closeAll(): void {
    for (const client of this.clients) client.close();
  }

  #webSocket(): new (url: string) => object {
    const { visits, said } = this;
    const streams = this.#streams;
    return class implements FakeSocket {
      onmessage: FakeSocket['onmessage'] = null;
      onclose: unknown;
      onerror: unknown;

      constructor(url: string) {
        const { pathname, searchParams } = new URL(url);
        const channels = searchParams.get('channels') ?? searchParams.get('ticket') ?? '';
        if (pathname === '/v1/connect') {
          visits.push(url);
          // The ticket of this cluster is the list of channels.
          const stream = `ws://shard.test/v1/stream?ticket=${channels}`;
          this.#says({ type: 'redirect', url: stream, pool: 'desktop', confidence: 'high' });
        } else {
          streams.add(this);
          const welcome = { session: 's', pool: 'desktop', shard: 'a', tickMs: 100, resumed: false };
          this.#says({ type: 'welcome', ...welcome, channels: channels.split(',') });
        }
      }
      send(text: string): void {
        said.push(JSON.parse(text));
      }
      close(): void {
        streams.delete(this);
      }
      #says(message: object): void {
        queueMicrotask(() => this.onmessage?.({ data: JSON.stringify(message) }));
      }
    };
  }
}

// The broadcast server that everybody writes first: one `send` per message and client, whatever the client's network
// carries. It is here to be compared with. It ends a connection before its queue can harm this machine.
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { type WebSocket, WebSocketServer } from 'ws';

/** A real one has no such limit, and is killed for lack of memory. */
export const NAIVE_LIMIT_BYTES = 6_000_000;
const MAX_CLIENTS = 20;

export interface NaiveClient {
  readonly id: number;
  /** Accepted for this client so far, whether it left this process or not. */
  readonly writtenBytes: number;
  /** From where the server sees the client come. */
  readonly port: number;
}

interface Connection {
  readonly id: number;
  readonly socket: WebSocket;
  readonly tcp: Socket;
}

export class NaiveServer {
  readonly #server: WebSocketServer;
  readonly #connections: Set<Connection> = new Set();
  #lastId = 0;

  private constructor(server: WebSocketServer) {
    this.#server = server;
  }

  /** `greet` makes the first message to a client. */
  static async open(greet: (id: number) => string): Promise<NaiveServer> {
    const server = new WebSocketServer({ host: '127.0.0.1', port: 0, maxPayload: 1_024 });
    const naive = new NaiveServer(server);
    server.on('connection', (socket, { socket: tcp }) => {
      socket.on('error', () => {}); // `close` follows
      if (naive.#connections.size >= MAX_CLIENTS) {
        socket.close(1013, 'too many');
        return;
      }
      naive.#lastId += 1;
      const connection = { id: naive.#lastId, socket, tcp };
      naive.#connections.add(connection);
      socket.on('close', () => naive.#connections.delete(connection));
      socket.send(greet(connection.id));
    });
    await once(server, 'listening');
    return naive;
  }

  get url(): string {
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('the naive server is closed');
    return `ws://127.0.0.1:${address.port}`;
  }

  broadcast(text: string): void {
    for (const { socket } of this.#connections) socket.send(text);
  }

  clients(): readonly NaiveClient[] {
    return [...this.#connections].map(({ id, tcp }) => ({
      id,
      writtenBytes: tcp.bytesWritten,
      port: tcp.remotePort ?? 0,
    }));
  }

  /** Ends a client at once: its queue is dropped. */
  cut(id: number): void {
    for (const { id: one, tcp } of this.#connections) if (one === id) tcp.resetAndDestroy();
  }

  async close(): Promise<void> {
    for (const { socket } of this.#connections) socket.terminate();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }
}

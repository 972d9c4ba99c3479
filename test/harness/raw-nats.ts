// A publisher that writes the NATS protocol itself: it can send messages that a client library refuses to build.
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { connect } from 'node:net';

export interface RawMessage {
  readonly subject: string;
  readonly reply?: string;
  /** A whole header block, from `NATS/1.0…` to the empty line. */
  readonly headers?: string;
  readonly data?: Uint8Array;
}

export class RawNats {
  readonly #socket: Socket;
  #unread = '';
  #waiting: () => void = () => undefined;
  #pongs = 0;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (bytes) => this.#hear(bytes.toString('latin1')));
    socket.on('error', () => undefined);
    socket.on('close', () => this.#waiting());
  }

  static async connect(url: string): Promise<RawNats> {
    const { hostname, port } = new URL(url);
    const socket = connect(Number(port), hostname);
    await once(socket, 'connect');
    const raw = new RawNats(socket);
    socket.write('CONNECT {"verbose":false,"pedantic":false,"headers":true,"no_responders":true}\r\n');
    await raw.flush();
    return raw;
  }

  send({ subject, reply = '', headers, data = new Uint8Array() }: RawMessage): void {
    const to = reply === '' ? subject : `${subject} ${reply}`;
    const head = headers === undefined ? undefined : Buffer.from(headers);
    const sizes = head === undefined ? `${data.length}` : `${head.length} ${head.length + data.length}`;
    const line = `${head === undefined ? 'PUB' : 'HPUB'} ${to} ${sizes}\r\n`;
    this.#socket.write(
      Buffer.concat([Buffer.from(line), head ?? Buffer.alloc(0), data, Buffer.from('\r\n')]),
    );
  }

  /** Resolves when the server has read everything sent so far. */
  async flush(): Promise<void> {
    const before = this.#pongs;
    this.#socket.write('PING\r\n');
    while (this.#pongs === before) {
      if (this.#socket.destroyed) throw new Error('the server has closed the connection');
      await new Promise<void>((resolve) => {
        this.#waiting = resolve;
      });
    }
  }

  close(): void {
    this.#socket.destroy();
  }

  #hear(text: string): void {
    const lines = (this.#unread + text).split('\r\n');
    this.#unread = lines.pop() ?? '';
    for (const line of lines) {
      if (line === 'PING') this.#socket.write('PONG\r\n');
      if (line === 'PONG') this.#pongs++;
    }
    this.#waiting();
  }
}

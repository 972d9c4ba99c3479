// A WebSocket client on a bare socket, with the habits of real stacks that mislead a careless probe:
// nagle: leaves Nagle's algorithm on (OkHttp, tungstenite, tornado). deaf: reads nothing for 60 ms after the upgrade
// (a cold Firefox, JDK, Jetty). latest: answers only the last ping of a read (RFC 6455 5.5.3 lets it).

import { randomBytes } from 'node:crypto';
import { connect, type Socket } from 'node:net';

export type Quirk = 'nagle' | 'deaf' | 'latest';

const DEAF_MS = 60;
const PING = 9;
const PONG = 10;
const CLOSE = 8;
const TEXT = 1;

/** The pool of the redirect. */
export function visitRaw(url: string, quirk: Quirk): Promise<string> {
  const { hostname, port, pathname, search } = new URL(url);
  const socket = connect({ host: hostname, port: Number(port), noDelay: quirk !== 'nagle' });
  socket.write(
    `GET ${pathname}${search} HTTP/1.1\r\nHost: ${hostname}:${port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
      `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${randomBytes(16).toString('base64')}\r\n` +
      'Sec-WebSocket-Protocol: weir.v1\r\n\r\n',
  );
  return new Promise((resolve, reject) => {
    let pool: string | undefined;
    const client = new RawClient(socket, quirk, (text) => {
      const message: { pool: string } = JSON.parse(text);
      pool = message.pool;
    });
    socket.on('data', (chunk) => client.read(chunk));
    socket.on('error', reject);
    socket.on('close', () => (pool === undefined ? reject(new Error('closed')) : resolve(pool)));
  });
}

class RawClient {
  readonly #socket: Socket;
  readonly #quirk: Quirk;
  readonly #onText: (text: string) => void;
  #unread = Buffer.alloc(0);
  #open = false;

  constructor(socket: Socket, quirk: Quirk, onText: (text: string) => void) {
    this.#socket = socket;
    this.#quirk = quirk;
    this.#onText = onText;
  }

  read(chunk: Buffer): void {
    this.#unread = Buffer.concat([this.#unread, chunk]);
    if (!this.#open) {
      const end = this.#unread.indexOf('\r\n\r\n');
      if (end < 0) return;
      this.#open = true;
      this.#unread = this.#unread.subarray(end + 4);
      if (this.#quirk === 'deaf') {
        this.#socket.pause();
        setTimeout(() => {
          this.#frames();
          this.#socket.resume();
        }, DEAF_MS);
        return;
      }
    }
    this.#frames();
  }

  /** Not after the Close, which may have come in the same read. */
  #pong(payload: Buffer): void {
    if (this.#socket.writable) this.#socket.write(masked(PONG, payload));
  }

  /** All whole frames that are there; servers send them unmasked. */
  #frames(): void {
    let latestPing: Buffer | undefined;
    for (;;) {
      const [first = 0, second = 0] = this.#unread;
      const head = second === 126 ? 4 : 2;
      if (this.#unread.length < head) break;
      const length = second === 126 ? this.#unread.readUInt16BE(2) : second;
      if (this.#unread.length < head + length) break;
      const payload = this.#unread.subarray(head, head + length);
      this.#unread = this.#unread.subarray(head + length);
      const opcode = first & 15;
      if (opcode === TEXT) this.#onText(payload.toString());
      else if (opcode === CLOSE) this.#socket.end(masked(CLOSE, payload));
      else if (opcode === PING && this.#quirk === 'latest') latestPing = payload;
      else if (opcode === PING) this.#pong(payload);
    }
    if (latestPing !== undefined) this.#pong(latestPing);
  }
}

/** A client's control frame. */
function masked(opcode: number, payload: Buffer): Buffer {
  const mask = randomBytes(4);
  const body = payload.map((byte, i) => byte ^ (mask[i % 4] ?? 0));
  return Buffer.concat([Buffer.of(0x80 | opcode, 0x80 | payload.length), mask, body]);
}

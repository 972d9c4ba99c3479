// One client of the load: a TCP socket that asks for the upgrade, walks frames and answers pings. Not a WebSocket library.
import { randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import { connect } from 'node:net';
import { FrameReader } from './frame-reader.ts';

/** Numbers that all clients of a process add to. */
export interface LoadCounts {
  open: number;
  closed: number;
  failed: number;
  frames: number;
  bytes: number;
}

export interface LoadClientOptions {
  readonly host: string;
  readonly port: number;
  readonly path: string;
  readonly counts: LoadCounts;
  /** Gets every text payload of this client; most have none. */
  readonly sample?: ((payload: Buffer) => void) | undefined;
  /** Text to send behind the upgrade, as Socket.IO wants. */
  readonly greeting?: string | undefined;
  /** WebSocket extensions to offer; what they do to messages is not undone. */
  readonly extensions?: string | undefined;
}

const PONG = 0x8a;
const TEXT = 0x81;

export class LoadClient {
  readonly #socket: Socket;
  readonly #counts: LoadCounts;
  readonly #greeting: string | undefined;
  #upgraded = false;
  #head = '';

  constructor(options: LoadClientOptions) {
    this.#counts = options.counts;
    this.#greeting = options.greeting;
    this.#socket = connect({ host: options.host, port: options.port, noDelay: true });
    const reader = new FrameReader(
      {
        text: (payload) => {
          this.#counts.frames++;
          options.sample?.(payload);
        },
        ping: (payload) => this.#send(PONG, payload),
        close: () => this.#socket.end(),
      },
      options.sample !== undefined,
    );
    this.#socket.on('connect', () => this.#socket.write(upgrade(options)));
    this.#socket.on('data', (chunk) => {
      this.#counts.bytes += chunk.length;
      if (this.#upgraded) reader.take(chunk);
      else this.#handshake(chunk, reader);
    });
    this.#socket.on('error', () => undefined);
    this.#socket.on('close', () => {
      if (this.#upgraded) {
        this.#counts.open--;
        this.#counts.closed++;
      } else this.#counts.failed++;
    });
  }

  /** Reads nothing any more: the kernel's buffers fill, then the server's. */
  stick(): void {
    this.#socket.pause();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  #handshake(chunk: Buffer, reader: FrameReader): void {
    this.#head += chunk.toString('latin1');
    const end = this.#head.indexOf('\r\n\r\n');
    if (end < 0) return;
    if (!this.#head.startsWith('HTTP/1.1 101')) return void this.#socket.destroy();
    this.#upgraded = true;
    this.#counts.open++;
    if (this.#greeting !== undefined) this.#send(TEXT, Buffer.from(this.#greeting));
    const rest = Buffer.from(this.#head.slice(end + 4), 'latin1');
    this.#head = '';
    if (rest.length > 0) reader.take(rest);
  }

  /** A masked frame of at most 125 bytes; the mask is zero, which is as good as any for a load. */
  #send(firstByte: number, payload: Buffer): void {
    const frame = Buffer.alloc(6 + payload.length);
    frame[0] = firstByte;
    frame[1] = 0x80 | payload.length;
    payload.copy(frame, 6);
    this.#socket.write(frame);
  }
}

function upgrade({ host, port, path, extensions }: LoadClientOptions): string {
  const offer = extensions === undefined ? '' : `Sec-WebSocket-Extensions: ${extensions}\r\n`;
  return `GET ${path} HTTP/1.1\r\nHost: ${host}:${port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${randomBytes(16).toString('base64')}\r\n${offer}\r\n`;
}

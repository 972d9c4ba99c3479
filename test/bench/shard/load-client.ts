// One client of the load: a TCP socket that upgrades, walks over frames and answers pings. No WebSocket library.
import { randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import { connect } from 'node:net';
import { FrameReader } from './frame-reader.ts';

/** Counters shared by all clients of a process. */
export interface LoadCounts {
  open: number;
  /** Closed by the server or by an error: clients that read. `stuckClosed` counts those that had stopped reading. */
  closed: number;
  stuckClosed: number;
  failed: number;
  frames: number;
  bytes: number;
}

export interface LoadClientOptions {
  readonly host: string;
  readonly port: number;
  readonly path: string;
  readonly counts: LoadCounts;
  /** Gets every text payload of this client; most clients have none. */
  readonly sample?: ((payload: Buffer) => void) | undefined;
  /** Text to send after the upgrade, as Socket.IO requires. */
  readonly greeting?: string | undefined;
  /** WebSocket extensions to offer; the client does not decode them. */
  readonly extensions?: string | undefined;
  /** Stops reading as soon as it is open. */
  readonly stuck?: boolean | undefined;
}

const PONG = 0x8a;
const TEXT = 0x81;
/** All sockets of the process read into this one buffer, one after the other. */
const shared = Buffer.allocUnsafeSlow(65_536);
const NOTHING = Buffer.alloc(0);

export class LoadClient {
  readonly #socket: Socket;
  readonly #counts: LoadCounts;
  readonly #options: LoadClientOptions;
  readonly #reader: FrameReader;
  #upgraded = false;
  #stuck = false;
  #ended = false;
  #head = '';

  constructor(options: LoadClientOptions) {
    this.#options = options;
    this.#counts = options.counts;
    this.#reader = new FrameReader(
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
    const { host, port } = options;
    const callback = (bytes: number): boolean => this.#read(bytes);
    this.#socket = connect({ host, port, noDelay: true, onread: { buffer: shared, callback } });
    this.#socket.on('connect', () => this.#socket.write(upgrade(options)));
    this.#socket.on('error', () => undefined);
    this.#socket.on('close', () => this.#closed());
  }

  get stuck(): boolean {
    return this.#stuck;
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** Stops reading: the kernel's buffers fill, then the server's. */
  stick(): void {
    this.#stuck = true;
    this.#socket.pause();
  }

  /** Sends a meaningless frame: a client that does not read learns only so that it was cut off. */
  mumble(): void {
    if (this.#upgraded && !this.#ended) this.#send(PONG, NOTHING);
  }

  /** Disconnects without counting as closed. */
  leave(): void {
    if (this.#ended) return;
    this.#ended = true;
    if (this.#upgraded) this.#counts.open--;
    this.#socket.destroy();
  }

  #read(bytes: number): boolean {
    this.#counts.bytes += bytes;
    const chunk = shared.subarray(0, bytes);
    if (this.#upgraded) this.#reader.take(chunk);
    else this.#handshake(chunk);
    return true;
  }

  #closed(): void {
    if (this.#ended) return;
    this.#ended = true;
    if (!this.#upgraded) {
      this.#counts.failed++;
      return;
    }
    this.#counts.open--;
    if (this.#stuck) this.#counts.stuckClosed++;
    else this.#counts.closed++;
  }

  #handshake(chunk: Buffer): void {
    this.#head += chunk.toString('latin1');
    const end = this.#head.indexOf('\r\n\r\n');
    if (end < 0) return;
    if (!this.#head.startsWith('HTTP/1.1 101')) return void this.#socket.destroy();
    this.#upgraded = true;
    this.#counts.open++;
    const { greeting, stuck } = this.#options;
    if (greeting !== undefined) this.#send(TEXT, Buffer.from(greeting));
    const rest = Buffer.from(this.#head.slice(end + 4), 'latin1');
    this.#head = '';
    if (stuck === true) this.stick();
    else if (rest.length > 0) this.#reader.take(rest);
  }

  /** A masked frame of at most 125 bytes; the mask is zero. */
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

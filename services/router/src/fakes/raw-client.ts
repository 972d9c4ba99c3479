// A handwritten WebSocket client on a TCP socket, with the quirks of real ones: deaf, silent, rude, slow. For tests
// only.
import { randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import { connect } from 'node:net';

/** Misbehaviour; none by default. */
export interface Quirks {
  /** Never answers a ping. */
  readonly deaf?: boolean;
  /** Loses this many of the first pings. */
  readonly losePings?: number;
  /** Closes with 1002 at an unsolicited pong. */
  readonly closeOnPong?: boolean;
  /** Bytes sent in the same write as the request. */
  readonly early?: Uint8Array;
  /** Neither answers a Close nor ends. */
  readonly ignoreClose?: boolean;
  /** One-way delay in both directions. */
  readonly delayMs?: number;
  /** Called for each frame. */
  readonly onFrame?: (client: RawClient, opcode: number) => void;
}

/** The address and headers of the request. */
export interface RawOptions extends Quirks {
  readonly port: number;
  readonly host?: string;
  readonly path?: string;
  readonly method?: string;
  /** Each is one header line. */
  readonly headers?: readonly string[];
}

export const opcodes = { text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

/** A masked frame, as clients send them. */
export function maskedFrame(opcode: number, payload: Uint8Array): Buffer {
  const mask = randomBytes(4);
  const long = payload.length > 125;
  const head = Buffer.from([0x80 | opcode, 0x80 | (long ? 126 : payload.length)]);
  const length = Buffer.alloc(long ? 2 : 0);
  if (long) length.writeUInt16BE(payload.length);
  return Buffer.concat([head, length, mask, payload.map((byte, i) => byte ^ (mask[i % 4] ?? 0))]);
}

export class RawClient {
  readonly socket: Socket;
  /** Status line and headers of the answer. */
  head = '';
  /** The body of an answer that is not an upgrade. */
  body = '';
  readonly texts: string[] = [];
  readonly opcodesSeen: number[] = [];
  closeCode: number | undefined;
  closeReason = '';
  /** The server has ended its half. */
  ended = false;
  error: string | undefined;
  /** Resolves when the socket is gone. */
  readonly closed: Promise<RawClient>;
  /** Resolves at the Close frame, or when the socket is gone. */
  readonly said: Promise<RawClient>;
  readonly #o: RawOptions;
  #buffer: Buffer = Buffer.alloc(0);
  #lost = 0;
  #sayClose: () => void = () => undefined;

  constructor(o: RawOptions) {
    this.#o = o;
    this.socket = connect({
      port: o.port,
      host: o.host ?? '127.0.0.1',
      allowHalfOpen: o.ignoreClose === true,
    });
    this.said = new Promise((resolve) => {
      this.#sayClose = () => resolve(this);
    });
    this.closed = new Promise((resolve) => {
      this.socket.on('close', () => {
        this.#sayClose();
        resolve(this);
      });
    });
    this.socket.on('error', (error: NodeJS.ErrnoException) => {
      this.error = error.code ?? 'error';
    });
    this.socket.on('end', () => {
      this.ended = true;
    });
    this.socket.on('data', (chunk: Buffer) => this.#later(() => this.#take(chunk)));
    this.#later(() => this.socket.write(Buffer.concat([this.#request(), o.early ?? Buffer.alloc(0)])));
  }

  get status(): number {
    return Number(this.head.split(' ')[1] ?? 0);
  }

  header(name: string): string | undefined {
    const line = this.head.split('\r\n').find((each) => each.toLowerCase().startsWith(`${name}:`));
    return line?.slice(name.length + 1).trim();
  }

  /** The router's only message. */
  get redirect(): Readonly<Record<string, unknown>> {
    return JSON.parse(this.texts[0] ?? '{}');
  }

  send(opcode: number, payload: Uint8Array = Buffer.alloc(0)): void {
    this.#later(() => {
      if (this.socket.writable) this.socket.write(maskedFrame(opcode, payload));
    });
  }

  #later(run: () => void): void {
    const delayMs = this.#o.delayMs ?? 0;
    if (delayMs === 0) run();
    else setTimeout(run, delayMs);
  }

  #request(): Buffer {
    const { method = 'GET', path = '/v1/connect?channels=lobby', headers = [] } = this.#o;
    const lines = [
      `${method} ${path} HTTP/1.1`,
      'Host: router',
      'Connection: Upgrade',
      'Upgrade: websocket',
      'Sec-WebSocket-Version: 13',
      `Sec-WebSocket-Key: ${randomBytes(16).toString('base64')}`,
      ...headers,
    ];
    return Buffer.from(`${lines.join('\r\n')}\r\n\r\n`);
  }

  #take(chunk: Buffer): void {
    this.#buffer = Buffer.concat([this.#buffer, chunk]);
    if (this.head === '') {
      const end = this.#buffer.indexOf('\r\n\r\n');
      if (end < 0) return;
      this.head = this.#buffer.subarray(0, end).toString('latin1');
      this.#buffer = this.#buffer.subarray(end + 4);
    }
    if (this.status === 101) this.#frames();
    else this.body = this.#buffer.toString('utf8');
  }

  #frames(): void {
    while (this.#buffer.length >= 2) {
      const [first = 0, short = 0] = this.#buffer;
      const headBytes = short === 126 ? 4 : 2;
      if (this.#buffer.length < headBytes) return;
      const length = short === 126 ? this.#buffer.readUInt16BE(2) : short;
      if (this.#buffer.length < headBytes + length) return;
      const payload = this.#buffer.subarray(headBytes, headBytes + length);
      this.#buffer = this.#buffer.subarray(headBytes + length);
      this.#frame(first & 0x0f, payload);
    }
  }

  #frame(opcode: number, payload: Buffer): void {
    this.opcodesSeen.push(opcode);
    if (opcode === opcodes.text) this.texts.push(payload.toString('utf8'));
    if (opcode === opcodes.ping) this.#ping(payload);
    if (opcode === opcodes.pong && this.#o.closeOnPong === true) this.socket.destroy();
    if (opcode === opcodes.close) this.#close(payload);
    this.#o.onFrame?.(this, opcode);
  }

  #ping(payload: Buffer): void {
    if (this.#o.deaf === true) return;
    if (this.#lost < (this.#o.losePings ?? 0)) this.#lost += 1;
    else this.send(opcodes.pong, payload);
  }

  #close(payload: Buffer): void {
    this.closeCode = payload.length < 2 ? 1005 : payload.readUInt16BE(0);
    this.closeReason = payload.subarray(2).toString('utf8');
    if (this.#o.ignoreClose !== true) this.send(opcodes.close, payload);
    this.#sayClose();
  }
}

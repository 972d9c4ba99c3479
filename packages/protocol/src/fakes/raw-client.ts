// A WebSocket client by hand on a TCP socket, for tests of all packages. It does what its caller says, and by itself
// answers pings; options give it the habits and faults of real clients. Knows frames, and no message of Weir.
import { randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import { connect } from 'node:net';

export const opcodes = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

export interface RawFrame {
  readonly opcode: number;
  /** First byte: FIN, RSV1 to RSV3 and the opcode. */
  readonly firstByte: number;
  readonly payload: Buffer;
}

/** The header lines of a client that behaves. */
export const usualHeaders: readonly string[] = [
  'Upgrade: websocket',
  'Connection: Upgrade',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
  'Sec-WebSocket-Protocol: weir.v1',
];

/** A masked frame, as clients send them; at most 65,535 bytes of payload. */
export function clientFrame(opcode: number, payload: string | Uint8Array = '', fin = true): Buffer {
  const body = Buffer.from(payload);
  const mask = randomBytes(4);
  const long = body.length > 125;
  const head = Buffer.from([(fin ? 0x80 : 0) | opcode, 0x80 | (long ? 126 : body.length)]);
  const length = Buffer.alloc(long ? 2 : 0);
  if (long) length.writeUInt16BE(body.length);
  return Buffer.concat([head, length, mask, body.map((byte, i) => byte ^ (mask[i % 4] ?? 0))]);
}

export interface RawClientOptions {
  readonly method?: string;
  /** Header lines after the request line and Host, without the empty line. */
  readonly headers?: readonly string[];
  /** Bytes in the same write as the request. */
  readonly early?: Uint8Array;
  /** False leaves Nagle's algorithm on, as OkHttp, tungstenite and tornado do. */
  readonly noDelay?: boolean;
  /** False ends the client's half as soon as the server has ended its own. */
  readonly allowHalfOpen?: boolean;
  /** One way, in either direction: the client sees and says everything so much later. */
  readonly delayMs?: number;
  /** The client reads nothing for so long after the upgrade, as a cold Firefox, JDK or Jetty. */
  readonly deafMs?: number;
  /** Which pings the client answers, by their number from 0; `latest`: only the last of a read (RFC 6455, 5.5.3). */
  readonly answers?: ((ping: number) => boolean) | 'latest';
  readonly answersClose?: boolean;
  /** Called for each frame, before the client answers it. */
  readonly onFrame?: (client: RawClient, frame: RawFrame) => void;
}

export class RawClient {
  readonly socket: Socket;
  /** Every frame, in the order in which they came. */
  readonly frames: RawFrame[] = [];
  /** Status line and headers of the answer. */
  head = '';
  /** What came after the headers of an answer that is no upgrade. */
  body = '';
  pings = 0;
  /** Code of the server's Close; 1005 for a Close without a code. */
  closeCode: number | undefined;
  closeReason = '';
  /** The server has ended its half. */
  ended = false;
  /** The socket is gone. */
  gone = false;
  /** Code of the socket's error. */
  error: string | undefined;
  /** Resolves when the socket is gone. */
  readonly closed: Promise<this>;
  /** Resolves at the Close frame, or when the socket is gone. */
  readonly said: Promise<this>;
  readonly #options: RawClientOptions;
  #buffer: Buffer = Buffer.alloc(0);
  #isMute = false;
  #latestPing: Buffer | undefined;
  #sayClose: () => void = () => undefined;

  /** Opens `url` (ws://host:port/path?query) and sends the request. */
  constructor(url: string, options: RawClientOptions = {}) {
    this.#options = options;
    const { hostname, port } = new URL(url);
    this.socket = connect({
      host: hostname.replace(/^\[|\]$/g, ''), // an IPv6 address has brackets in a URL alone
      port: Number(port),
      noDelay: options.noDelay ?? false,
      allowHalfOpen: options.allowHalfOpen ?? true,
    });
    this.said = new Promise((resolve) => {
      this.#sayClose = () => resolve(this);
    });
    this.closed = new Promise((resolve) => {
      this.socket.on('close', () => {
        this.gone = true;
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
    this.#later(() => this.socket.write(this.#request(url)));
  }

  get status(): number {
    return Number(this.head.split(' ')[1] ?? 0);
  }

  header(name: string): string | undefined {
    const line = this.head.split('\r\n').find((each) => each.toLowerCase().startsWith(`${name}:`));
    return line?.slice(name.length + 1).trim();
  }

  /** Payloads of the text frames. */
  get texts(): readonly string[] {
    return this.frames.filter(({ opcode }) => opcode === opcodes.text).map(({ payload }) => String(payload));
  }

  /** The messages of a type, in the order in which they came. */
  of(type: string): readonly Readonly<Record<string, unknown>>[] {
    return this.texts
      .map((text): Readonly<Record<string, unknown>> => JSON.parse(text))
      .filter((message) => message['type'] === type);
  }

  send(opcode: number, payload: string | Uint8Array = '', fin = true): void {
    this.#later(() => {
      if (this.socket.writable) this.socket.write(clientFrame(opcode, payload, fin));
    });
  }

  /** From now on the client takes nothing to heart: it answers no ping and no Close, and notes no code. */
  mute(): void {
    this.#isMute = true;
  }

  #later(run: () => void): void {
    const { delayMs = 0 } = this.#options;
    if (delayMs === 0) run();
    else setTimeout(run, delayMs);
  }

  #request(url: string): Buffer {
    const { method = 'GET', headers = usualHeaders, early = Buffer.alloc(0) } = this.#options;
    // The path as it was given: a parsed URL would mend what a test sends broken.
    const [, host = '', path = '/'] = /^ws:\/\/([^/]*)(.*)$/.exec(url) ?? [];
    const lines = [`${method} ${path} HTTP/1.1`, `Host: ${host}`, ...headers];
    return Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`), early]);
  }

  #take(chunk: Buffer): void {
    this.#buffer = Buffer.concat([this.#buffer, chunk]);
    if (this.head !== '') return this.#read();
    const end = this.#buffer.indexOf('\r\n\r\n');
    if (end < 0) return;
    this.head = this.#buffer.subarray(0, end).toString('latin1');
    this.#buffer = this.#buffer.subarray(end + 4);
    const { deafMs } = this.#options;
    if (deafMs === undefined) return this.#read();
    this.socket.pause();
    setTimeout(() => {
      this.#read();
      this.socket.resume();
    }, deafMs);
  }

  #read(): void {
    if (this.status !== 101) {
      this.body = this.#buffer.toString('utf8');
      return;
    }
    for (let frame = this.#next(); frame !== undefined; frame = this.#next()) this.#frame(frame);
    if (this.#latestPing !== undefined) this.send(opcodes.pong, this.#latestPing);
    this.#latestPing = undefined;
  }

  #frame(frame: RawFrame): void {
    this.frames.push(frame);
    if (!this.#isMute) this.#options.onFrame?.(this, frame);
    if (this.#isMute) return;
    if (frame.opcode === opcodes.ping) this.#ping(frame.payload);
    if (frame.opcode === opcodes.close) this.#close(frame.payload);
  }

  #ping(payload: Buffer): void {
    const { answers = () => true } = this.#options;
    const number = this.pings++;
    if (answers === 'latest') this.#latestPing = payload;
    else if (answers(number)) this.send(opcodes.pong, payload);
  }

  #close(payload: Buffer): void {
    this.closeCode = payload.length < 2 ? 1005 : payload.readUInt16BE(0);
    this.closeReason = payload.subarray(2).toString('utf8');
    if (this.#options.answersClose === true) this.send(opcodes.close, payload);
    this.#sayClose();
  }

  /** The next whole frame of what has come; servers do not mask theirs. */
  #next(): RawFrame | undefined {
    const [firstByte = 0, short = 0] = this.#buffer;
    if (this.#buffer.length < 2) return undefined;
    const size = { 126: 2, 127: 8 }[short] ?? 0;
    if (this.#buffer.length < 2 + size) return undefined;
    const length =
      size === 0
        ? short
        : size === 2
          ? this.#buffer.readUInt16BE(2)
          : Number(this.#buffer.readBigUInt64BE(2));
    const end = 2 + size + length;
    if (this.#buffer.length < end) return undefined;
    const payload = this.#buffer.subarray(2 + size, end);
    this.#buffer = this.#buffer.subarray(end);
    return { opcode: firstByte & 0x0f, firstByte, payload };
  }
}

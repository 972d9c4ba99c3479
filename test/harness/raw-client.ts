// A WebSocket client by hand on a TCP socket, which does what it is told and nothing by itself but answering pings.
import { randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import { connect } from 'node:net';
import { NeverBack } from './never-back.ts';

export const opcodes = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

export interface RawFrame {
  readonly opcode: number;
  /** First byte: FIN, RSV1 to RSV3 and the opcode. */
  readonly firstByte: number;
  readonly payload: Buffer;
}

export interface RawOptions {
  /** Replaces the header lines after the request line and Host; without the empty line. */
  readonly headers?: readonly string[];
  /** Bytes in the same write as the request. */
  readonly early?: Uint8Array;
  /** Which pings are answered, by their number from 0; all where it is not given. */
  readonly answers?: (ping: number) => boolean;
  /** Closes with 1002 at the first Pong that comes, and says nothing more. */
  readonly closesOnPong?: boolean;
}

/** FIN and the opcode of text: a whole message as it is. */
const WHOLE_TEXT = 0x81;

/** What a client that behaves sends. */
export const usualHeaders: readonly string[] = [
  'Upgrade: websocket',
  'Connection: Upgrade',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
  'Sec-WebSocket-Protocol: weir.v1',
];

/** A masked frame, as clients send them. */
export function clientFrame(opcode: number, payload: string | Uint8Array = '', fin = true): Buffer {
  const body = Buffer.from(payload);
  const mask = randomBytes(4);
  const long = body.length > 125;
  const head = Buffer.from([(fin ? 0x80 : 0) | opcode, 0x80 | (long ? 126 : body.length)]);
  const length = Buffer.alloc(long ? 2 : 0);
  if (long) length.writeUInt16BE(body.length);
  return Buffer.concat([head, length, mask, body.map((byte, i) => byte ^ (mask[i % 4] ?? 0))]);
}

export class RawClient {
  readonly socket: Socket;
  readonly frames: RawFrame[] = [];
  /** Status line and headers of the answer. */
  head = '';
  pings = 0;
  closeCode: number | undefined;
  /** The other side has ended its half. */
  ended = false;
  /** The socket is gone. */
  gone = false;
  readonly #neverBack = new NeverBack('a raw client');
  readonly #answers: (ping: number) => boolean;
  readonly #closesOnPong: boolean;
  #isDone = false;
  #buffer: Buffer = Buffer.alloc(0);

  /** Opens `url` (ws://host:port/path?query) and sends the request. */
  constructor(
    url: string,
    {
      headers = usualHeaders,
      early = Buffer.alloc(0),
      answers = () => true,
      closesOnPong = false,
    }: RawOptions = {},
  ) {
    this.#closesOnPong = closesOnPong;
    const { hostname, port, pathname, search } = new URL(url);
    this.#answers = answers;
    this.socket = connect({ host: hostname, port: Number(port), allowHalfOpen: true });
    this.socket.on('error', () => undefined);
    this.socket.on('end', () => {
      this.ended = true;
    });
    this.socket.on('close', () => {
      this.gone = true;
    });
    this.socket.on('data', (chunk) => this.#take(chunk));
    const lines = [`GET ${pathname}${search} HTTP/1.1`, `Host: ${hostname}:${port}`, ...headers];
    this.socket.write(Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`), early]));
  }

  get status(): number {
    return Number(this.head.split(' ')[1] ?? 0);
  }

  header(name: string): string | undefined {
    const line = this.head.split('\r\n').find((each) => each.toLowerCase().startsWith(`${name}:`));
    return line?.slice(name.length + 1).trim();
  }

  /** The messages of a type, in the order in which they came. */
  of(type: string): readonly Readonly<Record<string, unknown>>[] {
    return this.frames
      .filter(({ opcode }) => opcode === opcodes.text)
      .map(({ payload }): Readonly<Record<string, unknown>> => JSON.parse(payload.toString()))
      .filter((message) => message['type'] === type);
  }

  send(opcode: number, payload: string | Uint8Array = '', fin = true): void {
    if (this.socket.writable) this.socket.write(clientFrame(opcode, payload, fin));
  }

  #take(chunk: Buffer): void {
    this.#buffer = Buffer.concat([this.#buffer, chunk]);
    if (this.head === '') {
      const end = this.#buffer.indexOf('\r\n\r\n');
      if (end < 0) return;
      this.head = this.#buffer.subarray(0, end).toString('latin1');
      this.#buffer = this.#buffer.subarray(end + 4);
    }
    if (this.status !== 101) return;
    for (let frame = this.#next(); frame !== undefined; frame = this.#next()) this.#frame(frame);
  }

  #frame(frame: RawFrame): void {
    this.frames.push(frame);
    // A frame with another first byte is one of several, or compressed.
    if (frame.firstByte === WHOLE_TEXT) this.#neverBack.take(JSON.parse(frame.payload.toString()));
    if (this.#isDone) return;
    if (frame.opcode === opcodes.pong && this.#closesOnPong) {
      this.#isDone = true;
      this.send(opcodes.close, Buffer.from([0x03, 0xea]));
    }
    if (frame.opcode === opcodes.ping && this.#answers(this.pings++)) this.send(opcodes.pong, frame.payload);
    // 1005 stands for a Close without a code.
    if (frame.opcode === opcodes.close)
      this.closeCode = frame.payload.length < 2 ? 1005 : frame.payload.readUInt16BE(0);
  }

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

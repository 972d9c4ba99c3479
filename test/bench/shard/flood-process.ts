// Hostile clients in their own process: a fixed number at a time, each replaced soon after it is closed. They send as
// fast as their sockets allow and read nothing. Talks to the bench over IPC: paths come in, counts go out.
import { randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import { connect } from 'node:net';
import type { FloodKind } from './flood.ts';

/** An order of the bench. */
export type FloodOrder =
  | {
      readonly order: 'flood';
      readonly kind: FloodKind;
      readonly port: number;
      readonly flooders: number;
      /** Minimum time between the end of a flooder and its replacement. */
      readonly againMs: number;
      readonly paths: readonly string[];
    }
  | { readonly order: 'more'; readonly paths: readonly string[] }
  | { readonly order: 'stop' };

interface Script {
  /** A request to send instead of an upgrade. */
  readonly request?: (path: string, port: number) => string;
  readonly first?: Buffer;
  readonly frame?: Buffer;
  readonly leavesAfterMs?: number;
  /** Bytes of one write; without it, as much as the socket takes. */
  readonly sip?: number;
}

const MASK = Buffer.alloc(4);
const frame = (firstByte: number, payload = '', masked = true): Buffer =>
  Buffer.concat([
    Buffer.from([firstByte, (masked ? 0x80 : 0) | payload.length]),
    masked ? MASK : Buffer.alloc(0),
    Buffer.from(payload),
  ]);

const SCRIPTS: Readonly<Record<FloodKind, Script>> = {
  nothing: { leavesAfterMs: 2_000 },
  messages: { frame: frame(0x81, '{}') },
  fragments: { first: frame(0x01, '{'), frame: frame(0x00) },
  pings: { frame: frame(0x89) },
  unmasked: { frame: frame(0x81, '{}', false) },
  segments: { frame: frame(0x89, 'x'), sip: 1 },
  headers: { request: (path) => `GET ${path} HTTP/1.1\r\n${`X-A: ${'a'.repeat(150)}\r\n`.repeat(90)}` },
  halfOpen: { request: (path, port) => `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n` },
  closes: { frame: frame(0x88) },
};
const BURST_BYTES = 65_536;
const STEP_MS = 1;
/** Sips per step: a thousand small segments a second for each flooder. */
const SIPS = 1;

let paths: string[] = [];
let begun = 0;
let running = false;
const sockets = new Set<Socket>();

function start(order: Extract<FloodOrder, { order: 'flood' }>): void {
  paths = [...order.paths];
  begun = 0;
  running = true;
  for (let i = 0; i < order.flooders; i++) begin(order);
}

function begin(order: Extract<FloodOrder, { order: 'flood' }>): void {
  const path = paths.pop();
  if (!running || path === undefined) return;
  begun++;
  const { port, kind, againMs } = order;
  const script = SCRIPTS[kind];
  const socket = connect({ host: '127.0.0.1', port, noDelay: true });
  sockets.add(socket);
  socket.on('error', () => undefined);
  socket.once('close', () => {
    sockets.delete(socket);
    setTimeout(() => begin(order), againMs);
  });
  socket.once('connect', () => socket.write(script.request?.(path, port) ?? upgrade(path, port)));
  // The flooder reads the answer, so that it floods only after it is accepted; it reads nothing else.
  socket.once('data', () => {
    if (script.leavesAfterMs !== undefined) {
      setTimeout(() => socket.destroy(), script.leavesAfterMs);
      return void socket.resume();
    }
    socket.pause();
    pump(socket, script);
  });
}

function pump(socket: Socket, { first, frame: one, sip }: Script): void {
  if (one === undefined) return;
  if (first !== undefined) socket.write(first);
  if (sip !== undefined) return sipOn(socket, one);
  const burst = Buffer.concat(Array.from({ length: Math.ceil(BURST_BYTES / one.length) }, () => one));
  const fill = (): void => {
    while (socket.writable && socket.write(burst));
  };
  socket.on('drain', fill);
  fill();
}

function sipOn(socket: Socket, one: Buffer): void {
  let at = 0;
  const timer = setInterval(() => {
    if (!socket.writable) return clearInterval(timer);
    for (let i = 0; i < SIPS; i++) socket.write(one.subarray(at % one.length, (at++ % one.length) + 1));
  }, STEP_MS);
}

function upgrade(path: string, port: number): string {
  return `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${randomBytes(16).toString('base64')}\r\n\r\n`;
}

process.on('message', ({ id, order }: { id: number; order: FloodOrder }) => {
  if (order.order === 'flood') start(order);
  else if (order.order === 'more') paths.push(...order.paths);
  else {
    running = false;
    for (const socket of sockets) socket.destroy();
  }
  process.send?.({ id, begun, left: paths.length });
});
process.on('disconnect', () => process.exit(0));

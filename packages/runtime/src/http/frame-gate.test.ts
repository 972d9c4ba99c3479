import { PassThrough } from 'node:stream';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CLOSE_OPCODE, FrameGate, PONG_OPCODE } from './frame-gate.ts';

const TEXT = 1;
const PING = 9;
const CLOSING_BYTES = 1_000;

/** A client frame with a mask of zeros. */
function frame(opcode: number, payloadBytes = 0, fin = true): Buffer {
  const long = payloadBytes > 65_535 ? 8 : payloadBytes > 125 ? 2 : 0;
  const head = Buffer.alloc(2 + long + 4 + payloadBytes, 'x');
  head[0] = (fin ? 0x80 : 0) | opcode;
  head[1] = 0x80 | (long === 8 ? 127 : long === 2 ? 126 : payloadBytes);
  if (long === 2) head.writeUInt16BE(payloadBytes, 2);
  if (long === 8) head.writeBigUInt64BE(BigInt(payloadBytes), 2);
  return head;
}

interface Bench {
  readonly gate: FrameGate;
  readonly socket: PassThrough;
  /** The bytes that the library has read. */
  read(): Buffer;
  sizes(): readonly number[];
  send(...bytes: readonly Buffer[]): Promise<void>;
}

function setUp(closingBytes = CLOSING_BYTES): Bench {
  const socket = new PassThrough();
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  const gate = new FrameGate(socket, closingBytes);
  return {
    gate,
    socket,
    read: () => Buffer.concat(chunks),
    sizes: () => chunks.map(({ length }) => length),
    async send(...bytes) {
      for (const part of bytes) socket.write(part);
      await new Promise((resolve) => setImmediate(resolve));
    },
  };
}

describe('a gate', () => {
  it('asks for each frame once, wherever the bytes are cut, and passes every byte', async () => {
    const opcodes = fc.constantFrom(0, TEXT, 2, PING, PONG_OPCODE);
    const sizes = fc.constantFrom(0, 1, 125, 126, 65_535, 65_536);
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(opcodes, sizes), { minLength: 1, maxLength: 6 }),
        fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 20 }),
        async (frames, cuts) => {
          const { gate, read, send } = setUp();
          const asked: number[] = [];
          gate.open((opcode) => asked.push(opcode) > 0);
          const bytes = Buffer.concat(frames.map(([opcode, size]) => frame(opcode, size)));
          let at = 0;
          for (const cut of cuts) {
            await send(bytes.subarray(at, at + cut));
            at += cut;
          }
          await send(bytes.subarray(at));
          expect(asked).toEqual(frames.map(([opcode]) => opcode));
          expect(read().equals(bytes)).toBe(true);
        },
      ),
      { numRuns: 40 },
    );
  });

  it('passes the frames before the first excess frame, and nothing after it', async () => {
    const { gate, read, send } = setUp();
    let left = 3;
    gate.open(() => {
      if (left-- > 0) return true;
      gate.shut();
      return false;
    });
    await send(Buffer.concat(Array.from({ length: 50 }, () => frame(TEXT, 2))));
    expect(read()).toHaveLength(3 * frame(TEXT, 2).length);
  });

  it('that is shut within a frame passes the rest of that frame, then only the Close, once', async () => {
    const { gate, read, send } = setUp();
    gate.open(() => true);
    const first = frame(TEXT, 20);
    await send(first.subarray(0, 10));
    gate.shut();
    const close = frame(CLOSE_OPCODE, 2);
    await send(first.subarray(10), frame(TEXT, 5), frame(PING), close, close, frame(TEXT, 1));
    expect(read()).toEqual(Buffer.concat([first, close]));
    expect(gate.flooded).toBe(false);
  });

  it('stops reading a client that keeps sending after its end is decided', async () => {
    const { gate, socket, read, send } = setUp();
    let floods = 0;
    gate.shut();
    gate.whenFlooded(() => floods++);
    await send(Buffer.alloc(CLOSING_BYTES, frame(TEXT, 2)));
    expect([gate.flooded, socket.isPaused()]).toEqual([false, false]);
    await send(frame(TEXT, 2), frame(TEXT, 2));
    expect([gate.flooded, floods, socket.isPaused(), read().length]).toEqual([true, 1, true, 0]);
  });

  it('stops reading a client that sends more frames than can be under way, in one chunk or in many', async () => {
    for (const pieces of [1, 600]) {
      const { gate, socket, read, send } = setUp(1e6);
      let floods = 0;
      gate.open(() => {
        gate.shut();
        return false;
      });
      gate.whenFlooded(() => floods++);
      const some = Buffer.concat(Array.from({ length: 600 / pieces }, () => frame(0, 0, false)));
      for (let i = 0; i < pieces; i++) socket.write(some);
      await send(frame(CLOSE_OPCODE, 2));
      socket.resume();
      await send(frame(TEXT, 2));
      expect([gate.flooded, floods, socket.isPaused(), read().length]).toEqual([true, 1, true, 0]);
    }
  });

  it('asks for each piece that is read', async () => {
    const { gate, read, send } = setUp(1e6);
    let left = 5;
    gate.open(
      () => true,
      () => {
        if (left-- > 0) return true;
        gate.shut();
        return false;
      },
    );
    const message = frame(TEXT, 20);
    for (const byte of message) await send(Buffer.from([byte]));
    await send(message);
    // The current frame continues to its end.
    expect([left, read().equals(message)]).toEqual([-1, true]);
  });

  it('stops reading a client that keeps sending byte by byte', async () => {
    const { gate, socket, send } = setUp(1e6);
    gate.shut();
    for (let i = 0; i < 600; i++) await send(Buffer.from([0]));
    expect([gate.flooded, socket.isPaused()]).toEqual([true, true]);
  });

  it('finds the Close of a client that had a few hundred frames under way', async () => {
    const { gate, read, send } = setUp(1e6);
    gate.shut();
    await send(Buffer.concat(Array.from({ length: 400 }, () => frame(PONG_OPCODE, 4))));
    await send(frame(CLOSE_OPCODE, 2));
    expect([gate.flooded, gate.closeSeen, read().length]).toEqual([false, true, 8]);
  });

  it('asks for nothing after a Close', async () => {
    const { gate, read, send } = setUp();
    const asked: number[] = [];
    gate.open((opcode) => asked.push(opcode) > 0);
    await send(Buffer.concat([frame(CLOSE_OPCODE, 2), frame(TEXT, 2), frame(TEXT, 2)]));
    expect(asked).toEqual([CLOSE_OPCODE]);
    expect(read()).toEqual(frame(CLOSE_OPCODE, 2));
  });

  it('passes no empty chunk: the library has ended after a Close', async () => {
    const { gate, sizes, send } = setUp();
    gate.open(() => true);
    await send(frame(CLOSE_OPCODE, 2), frame(TEXT, 2));
    expect(sizes()).toEqual([frame(CLOSE_OPCODE, 2).length]);
  });
});

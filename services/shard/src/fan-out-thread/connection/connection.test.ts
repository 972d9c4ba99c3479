import { Duplex } from 'node:stream';
import type { Ticket } from '@weir/protocol';
import type { FrameGate } from '@weir/runtime';
import { describe, expect, it } from 'vitest';
import type { WebSocket } from 'ws';
import { Connection } from './connection.ts';

/** A socket whose network takes nothing until the test lets it. */
class SlowSocket extends Duplex {
  readonly chunks: Buffer[] = [];
  #taken: (() => void) | undefined;

  constructor() {
    super({ writableHighWaterMark: 1 });
  }

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: string, callback: () => void): void {
    this.chunks.push(chunk);
    this.#taken = callback;
  }

  flush(): void {
    this.#taken?.();
  }
}

const ticket: Ticket = { id: 't', pool: 'p', channels: ['a'], allow: ['>'], denied: [], tls: false };

function setUp(): { connection: Connection; socket: SlowSocket } {
  const socket = new SlowSocket();
  const connection = new Connection({
    session: 's',
    socket,
    ws: {} as WebSocket,
    gate: {} as FrameGate,
    compressed: false,
    ticket,
    starts: [{ channel: 'a', stateSeq: 5, snapshot: false, criticalSeq: 7, gap: { after: 7, reset: false } }],
    nowMs: 0,
  });
  return { connection, socket };
}

describe('Connection', () => {
  it('writes the given bytes without a copy', () => {
    const { connection, socket } = setUp();
    const shared = Buffer.from('frame');
    connection.write(shared);
    expect(socket.chunks[0]).toBe(shared);
  });

  it('counts unproven bytes as backlog, also if the socket is empty', () => {
    const { connection, socket } = setUp();
    connection.write(Buffer.alloc(1_000));
    socket.flush();
    expect([socket.writableLength, connection.backlogBytes]).toEqual([0, 1_000]);
    connection.clock.pinged(1, 0);
    connection.clock.ponged(1, 10);
    expect(connection.backlogBytes).toBe(0);
  });

  it('counts bytes in the socket as backlog', () => {
    const { connection, socket } = setUp();
    // What the library writes (its Close, its pongs) is not on the clock.
    socket.write(Buffer.alloc(300));
    socket.write(Buffer.alloc(200));
    expect(connection.backlogBytes).toBe(500);
  });
});

import { Duplex } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Ending } from './ending.ts';
import { timesWithin, watchEnding } from './ending.ts';
import { FrameGate } from './frame-gate.ts';

interface Bench {
  readonly socket: Duplex;
  readonly done: readonly string[];
  readonly ending: Promise<Ending>;
}

/** A socket that records the calls on it. */
function setUp(): Bench {
  const done: string[] = [];
  const socket = new Duplex({
    read() {},
    write: (_chunk, _encoding, callback) => callback(),
    final(callback) {
      done.push('end');
      callback();
    },
    destroy(_error, callback) {
      done.push('destroy');
      callback(null);
    },
    autoDestroy: false,
  });
  socket.on('data', () => undefined);
  const gate = new FrameGate(socket, 100);
  const times = { waitMs: 2_000, graceMs: 5_000 };
  return { socket, done, ending: watchEnding({ duplex: socket, gate, inTime: 'answered', ...times }) };
}

describe('the end of a socket', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('waits for the answer, then ends its side, and finally cuts the socket', async () => {
    const { done, ending } = setUp();
    await vi.advanceTimersByTimeAsync(1_999);
    expect(done).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    expect(done).toEqual(['end']);
    await vi.advanceTimersByTimeAsync(5_000);
    expect(done).toEqual(['end', 'destroy']);
    expect(await ending).toBe('cut');
    expect(vi.getTimerCount()).toBe(0);
  });

  it('gives a flooding client no grace', async () => {
    const { socket, done, ending } = setUp();
    socket.push(Buffer.alloc(200));
    await vi.advanceTimersByTimeAsync(2_000);
    expect(done).toContain('destroy');
    expect(await ending).toBe('flooded');
    expect(vi.getTimerCount()).toBe(0);
  });

  it.each([
    ['answered', 'ends its side', 0],
    ['finished', 'ends its side', 2_500],
    ['cut', 'breaks off', 0],
  ])('is %s where the client %s after %i ms, and leaves no timer', async (how, what, afterMs) => {
    const { socket, ending } = setUp();
    await vi.advanceTimersByTimeAsync(afterMs);
    if (what === 'ends its side') {
      socket.push(null);
      await new Promise((resolve) => setImmediate(resolve));
    }
    socket.destroy();
    expect(await ending).toBe(how);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('has a part for the answer and one for the rest, within its bound', () => {
    expect(timesWithin(3_000)).toEqual({ waitMs: 2_000, graceMs: 1_000 });
    expect(timesWithin(300)).toEqual({ waitMs: 200, graceMs: 100 });
    expect(timesWithin(60_000)).toEqual({ waitMs: 2_000, graceMs: 58_000 });
  });
});

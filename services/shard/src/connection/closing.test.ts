import { Duplex } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { WebSocket } from 'ws';
import { closeGently } from './closing.ts';

/** A socket that notes what is done to it; `peerEnds` is the client's FIN. */
function setUp(): { socket: Duplex; done: string[]; ws: WebSocket } {
  const done: string[] = [];
  const socket = new Duplex({
    read() {},
    write(_chunk, _encoding, callback) {
      callback();
    },
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
  const ws: Pick<WebSocket, 'close'> = {
    close: (code, reason) => done.push(`close ${String(code)} ${String(reason)}`),
  };
  return { socket, done, ws: ws as WebSocket };
}

describe('closeGently', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('says why, waits for the answer, ends its side, and cuts at last', async () => {
    const { socket, done, ws } = setUp();
    closeGently({ ws, socket, code: 4008, reason: 'too slow' });
    expect(done).toEqual(['close 4008 too slow']);
    await vi.advanceTimersByTimeAsync(1_999);
    expect(done).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(1);
    expect(done).toEqual(['close 4008 too slow', 'end']);
    await vi.advanceTimersByTimeAsync(4_999);
    expect(socket.destroyed).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    expect([socket.destroyed, done.at(-1)]).toEqual([true, 'destroy']);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('does no more to a socket that has closed, and leaves no timer', async () => {
    const { socket, done, ws } = setUp();
    closeGently({ ws, socket, code: 4012, reason: 'restarting' });
    socket.destroy();
    await new Promise((resolve) => setImmediate(resolve));
    expect(vi.getTimerCount()).toBe(0);
    expect(done).toEqual(['close 4012 restarting', 'destroy']);
  });

  it('leaves no timer where the socket closes after its end', async () => {
    const { socket, ws } = setUp();
    closeGently({ ws, socket, code: 4012, reason: 'restarting' });
    await vi.advanceTimersByTimeAsync(2_000);
    socket.destroy();
    await new Promise((resolve) => setImmediate(resolve));
    expect(vi.getTimerCount()).toBe(0);
  });
});

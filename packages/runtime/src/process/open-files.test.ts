import { describe, expect, it } from 'vitest';
import { openFiles, roomForSockets } from './open-files.ts';

describe('the limit of open files', () => {
  it("leaves room for the admin server, for files already open and for the service's own files", () => {
    const room = roomForSockets(0, { limit: 1_000, used: 20 });
    expect(room).toBeLessThan(1_000 - 20 - 64);
    expect(roomForSockets(12, { limit: 1_000, used: 30 })).toBe(room - 22);
    expect(roomForSockets(0, { limit: Number.POSITIVE_INFINITY, used: 20 })).toBe(Number.POSITIVE_INFINITY);
  });

  it('reports a limit that is too low for any client, with a sufficient one', () => {
    const needed = /raise it to (\d+) or more/;
    let message = '';
    try {
      roomForSockets(0, { limit: 64, used: 20 });
    } catch (error) {
      message = String(error);
    }
    const [, enough] = needed.exec(message) ?? [];
    expect(roomForSockets(0, { limit: Number(enough), used: 20 })).toBe(16);
  });

  it('of this process is known', () => {
    const { limit, used } = openFiles();
    expect(limit).toBeGreaterThan(used);
    expect(used).toBeGreaterThan(2);
  });
});

import { describe, expect, it } from 'vitest';
import { FakePlatform, FakeSocket } from './fakes/fake-platform.ts';
import { Watch } from './watch.ts';
import { Wire } from './wire.ts';

function watched({ quietMs, beatMs }: { quietMs?: number; beatMs?: number }): {
  platform: FakePlatform;
  socket: FakeSocket;
  watch: Watch;
  asked: () => number;
} {
  const platform = new FakePlatform();
  const wire = new Wire(platform, platform.webSocket(), { url: 'ws://shard.test', protocols: [] });
  const socket = platform.sockets[0] ?? new FakeSocket('ws://x', []);
  let asked = 0;
  const watch = new Watch(platform, quietMs, () => {
    asked++;
  });
  watch.start(wire, beatMs);
  return { platform, socket, watch, asked: () => asked };
}

describe('the watch over a connection', () => {
  it('keeps a quiet connection if pings are hidden and the shard has no beat', () => {
    const { platform, asked } = watched({});
    platform.advance(3_600_000);
    expect(asked()).toBe(0);
  });
  it('asks for another connection if seen pings stop', () => {
    const { platform, socket, asked } = watched({});
    for (let i = 0; i < 20; i++) {
      socket.pings();
      platform.advance(15_000);
    }
    expect(asked()).toBe(0);
    platform.advance(46_000);
    expect(asked()).toBe(1);
  });
  it('asks for another connection when two beats are missing, and again after two more', () => {
    const { platform, socket, watch, asked } = watched({ beatMs: 15_000 });
    for (let i = 0; i < 20; i++) {
      platform.advance(15_250);
      socket.says({ type: 'beat' });
    }
    platform.advance(30_999);
    expect([asked(), watch.isQuiet]).toEqual([0, false]);
    platform.advance(1);
    expect([asked(), watch.isQuiet]).toEqual([1, true]);
    platform.advance(30_999);
    expect(asked()).toBe(1);
    platform.advance(1);
    expect(asked()).toBe(2);
    socket.says({ type: 'beat' });
    expect(watch.isQuiet).toBe(false);
  });
  it('does not count the time in which the page itself was frozen (case D9)', () => {
    const { platform, socket, asked } = watched({ beatMs: 15_000 });
    platform.freeze(120_000);
    platform.advance(0);
    socket.says({ type: 'position', pos: 'p' });
    platform.advance(20_000);
    expect(asked()).toBe(0);
  });
  it('decides within seconds after a sleep that stopped its timers', () => {
    const { platform, asked } = watched({ beatMs: 15_000 });
    platform.sleep(3_600_000);
    platform.advance(6_000);
    expect(asked()).toBe(1);
  });
  it('checks at once on request', () => {
    const { platform, watch, asked } = watched({ beatMs: 15_000 });
    watch.look();
    platform.sleep(60_000);
    watch.look();
    platform.advance(1_000);
    expect(asked()).toBe(1);
  });
  it('notices a dead path after the clock was set back by an hour', () => {
    const { platform, asked } = watched({ beatMs: 15_000 });
    platform.sleep(-3_600_000);
    platform.advance(40_000);
    expect(asked()).toBe(1);
  });
  it('takes its limit from the application', () => {
    const { platform, asked } = watched({ quietMs: 6_000, beatMs: 15_000 });
    platform.advance(7_000);
    expect(asked()).toBe(1);
    platform.advance(7_000);
    expect(asked()).toBe(2);
  });
});

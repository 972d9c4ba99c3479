import { describe, expect, it } from 'vitest';
import { FakePlatform, FakeSocket } from './fakes/fake-platform.ts';
import { Watch } from './watch.ts';
import { Wire } from './wire.ts';

function watched(quietMs: number | undefined): {
  platform: FakePlatform;
  socket: FakeSocket;
  asked: () => number;
} {
  const platform = new FakePlatform();
  const wire = new Wire(platform, platform.webSocket(), { url: 'ws://shard.test', protocols: [] });
  const socket = platform.sockets[0] ?? new FakeSocket('ws://x', []);
  let asked = 0;
  const watch = new Watch(platform, quietMs, () => {
    asked++;
  });
  watch.start(wire);
  return { platform, socket, asked: () => asked };
}

describe('the watch over a connection', () => {
  it('leaves a quiet channel alone where pings are hidden', () => {
    const { platform, asked } = watched(undefined);
    platform.advance(3_600_000);
    expect(asked()).toBe(0);
  });
  it('asks for another connection where pings were seen and stay away', () => {
    const { platform, socket, asked } = watched(undefined);
    for (let i = 0; i < 20; i++) {
      socket.pings();
      platform.advance(15_000);
    }
    expect(asked()).toBe(0);
    platform.advance(80_000);
    expect(asked()).toBe(1);
  });
  it('does not blame the connection for the time in which it was frozen itself (case D9)', () => {
    const { platform, socket, asked } = watched(6_000);
    platform.freeze(120_000);
    platform.advance(0);
    socket.says({ type: 'position', pos: 'p' });
    platform.advance(5_000);
    expect(asked()).toBe(0);
  });
  it('watches quiet connections where it was told to', () => {
    const { platform, asked } = watched(6_000);
    platform.advance(6_000);
    expect(asked()).toBe(1);
    platform.advance(6_000);
    expect(asked()).toBe(2);
  });
});

// A client on a fake platform, and the words that a router and a shard would say to it.
import { Client } from '../client.ts';
import type { ConnectOptions } from '../public.ts';
import type { FakeSocket } from './fake-platform.ts';
import { FakePlatform, settle } from './fake-platform.ts';

export const redirect = {
  type: 'redirect',
  url: 'ws://shard.test/v1/stream?ticket=T',
  pool: 'desktop',
  rttMs: 20,
  kbps: 9_000,
  confidence: 'high',
} as const;

export function welcome(more: object = {}): object {
  return {
    type: 'welcome',
    session: 's1',
    pool: 'desktop',
    shard: 'a',
    tickMs: 100,
    channels: ['lobby'],
    resumed: false,
    ...more,
  };
}

export class FakeCluster {
  readonly platform = new FakePlatform();
  readonly client: Client;
  readonly seen: (readonly [string, unknown])[] = [];

  constructor(options: Partial<ConnectOptions> = {}) {
    this.client = new Client({ url: 'ws://router.test', channels: ['lobby'], ...options }, this.platform);
    for (const name of ['status', 'open', 'move', 'retry', 'error', 'close'] as const) {
      this.client.on(name, (event) => this.seen.push([name, event]));
    }
  }

  /** What was seen under a name. */
  all(name: string): unknown[] {
    return this.seen.filter(([seen]) => seen === name).map(([, event]) => event);
  }

  get last(): FakeSocket {
    const socket = this.platform.sockets.at(-1);
    if (socket === undefined) throw new Error('no socket was opened');
    return socket;
  }

  get opened(): number {
    return this.platform.sockets.length;
  }

  /** Waits until the client tries again. */
  async comesBack(): Promise<void> {
    const { opened } = this;
    for (let waitedMs = 0; this.opened === opened; waitedMs += 100) {
      if (waitedMs > 60_000) throw new Error('it did not come back');
      this.platform.advance(waitedMs === 0 ? 0 : 100);
      await settle();
    }
  }

  /** The try that is under way: router, redirect, stream, welcome. */
  async welcomed(more: object = {}, answer: object = redirect): Promise<FakeSocket> {
    if (this.client.status === 'waiting') await this.comesBack();
    await settle();
    this.last.says(answer);
    const stream = this.last;
    stream.says(welcome(more));
    return stream;
  }
}

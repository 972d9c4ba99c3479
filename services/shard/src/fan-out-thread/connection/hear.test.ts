import { EventEmitter } from 'node:events';
import { Duplex } from 'node:stream';
import type { ControlMessage } from '@weir/protocol';
import type { FrameGate } from '@weir/runtime';
import { describe, expect, it } from 'vitest';
import type { WebSocket } from 'ws';
import { Connection } from './connection.ts';
import { hear } from './hear.ts';

/** A client that is heard, the channels that it has, and a clock that the test owns. */
class Bench {
  nowMs = 0;
  readonly channels = new Set(['a']);
  readonly did: string[] = [];
  readonly said: ControlMessage[] = [];
  delayed = 0;
  readonly connection: Connection;
  readonly #ws = new EventEmitter();
  readonly #later: { readonly atMs: number; readonly run: () => void }[] = [];

  constructor() {
    this.connection = new Connection({
      session: 's',
      socket: new Duplex({ read: () => undefined }),
      ws: this.#ws as unknown as WebSocket,
      gate: { open: () => undefined } as unknown as FrameGate,
      ticket: { id: 't', pool: 'p', channels: ['a'], allow: ['a', 'b', 'c'], denied: [], tls: false },
      starts: [],
      compressed: false,
      nowMs: 0,
    });
    hear(this.connection, {
      limits: { perSecond: 1_000, burst: 1_000 },
      lastMax: 50,
      redraws: { redrawBytesPerSecond: 1_000, redrawBurstBytes: 1_000 },
      nowMs: () => this.nowMs,
      later: (run, ms) => this.#later.push({ atMs: this.nowMs + ms, run }),
      view: () => ({ channels: [...this.channels], allow: this.connection.ticket.allow }),
      pong: () => true,
      subscribe: (channels, last) => {
        this.did.push(`+${channels.join()}${last === undefined ? '' : ` last ${last}`}`);
        for (const channel of channels) this.channels.add(channel);
      },
      unsubscribe: (channels) => {
        this.did.push(`-${channels.join()}`);
        for (const channel of channels) this.channels.delete(channel);
      },
      delayed: () => this.delayed++,
      say: (messages) => this.said.push(...messages),
      left: () => this.did.push('left'),
      close: (cause, reason) => this.did.push(`close ${cause}: ${reason}`),
    });
  }

  says(type: 'subscribe' | 'unsubscribe', ...said: readonly (string | { last: number })[]): void {
    const channels = said.filter((one) => typeof one === 'string');
    const more = said.find((one) => typeof one !== 'string');
    this.#ws.emit('message', Buffer.from(JSON.stringify({ type, channels, ...more })), false);
  }

  pass(ms: number): void {
    this.nowMs += ms;
    for (const timer of this.#later.splice(0)) {
      if (timer.atMs <= this.nowMs) timer.run();
      else this.#later.push(timer);
    }
  }

  takeDone(): readonly string[] {
    return this.did.splice(0);
  }
}

describe('a client that draws snapshots again', () => {
  it('is subscribed when the bytes are paid; new channels do not wait', () => {
    const bench = new Bench();
    bench.connection.redraws?.charge(3_000);
    bench.says('unsubscribe', 'a');
    bench.says('subscribe', 'a', 'b');
    expect(bench.takeDone()).toEqual(['-a', '+b']);
    bench.pass(1_000);
    expect(bench.takeDone()).toEqual([]);
    bench.pass(1_500);
    expect([bench.takeDone(), bench.delayed]).toEqual([['+a'], 1]);
  });

  it('gets the requested number of critical messages, within the limit, also after a wait', () => {
    const bench = new Bench();
    bench.says('subscribe', 'b', { last: 7 });
    expect(bench.takeDone()).toEqual(['+b last 7']);
    bench.connection.redraws?.charge(3_000);
    bench.says('unsubscribe', 'a');
    bench.says('subscribe', 'a', { last: 1_000 });
    bench.pass(2_500);
    expect(bench.takeDone()).toEqual(['-a', '+a last 50']);
  });

  it('begins each channel that waits with as many messages as were asked for with it', () => {
    const bench = new Bench();
    for (const channel of ['b', 'c']) bench.connection.redraws?.begin(channel);
    bench.connection.redraws?.charge(3_000);
    bench.says('unsubscribe', 'a');
    bench.takeDone();
    bench.says('subscribe', 'a', { last: 5 });
    bench.says('subscribe', 'b');
    bench.says('subscribe', 'c', { last: 5 });
    bench.pass(500);
    bench.pass(2_500);
    expect(bench.takeDone()).toEqual(['+a,c last 5', '+b']);
  });

  it('can unsubscribe while the channel waits', () => {
    const bench = new Bench();
    bench.connection.redraws?.charge(3_000);
    bench.says('unsubscribe', 'a');
    bench.says('subscribe', 'a');
    bench.says('subscribe', 'a');
    bench.says('unsubscribe', 'a');
    expect(bench.takeDone()).toEqual(['-a']);
    bench.pass(5_000);
    expect([bench.takeDone(), bench.delayed]).toEqual([[], 1]);
  });

  it('is closed if it continues', () => {
    const bench = new Bench();
    bench.connection.redraws?.charge(1e6);
    for (let i = 0; i < 21; i++) {
      bench.says('unsubscribe', 'a');
      bench.says('subscribe', 'a');
    }
    expect(bench.did.filter((did) => did.startsWith('close'))).toEqual([
      'close tooManyMessages: too many snapshots of the same channels',
    ]);
    expect(bench.did.includes('+a')).toBe(false);
  });

  it('gets nothing after it has disconnected', () => {
    const bench = new Bench();
    bench.connection.redraws?.charge(3_000);
    bench.says('unsubscribe', 'a');
    bench.says('subscribe', 'a');
    bench.connection.delivery.leave();
    bench.pass(10_000);
    expect(bench.takeDone()).toEqual(['-a']);
  });
});

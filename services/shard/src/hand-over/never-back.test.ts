// What a client shows never goes back: whatever it asks for, whenever it is asked, the versions of a key only rise.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Connection } from '../connection/connection.ts';
import type { ModelClient, ModelThread } from '../fakes/two-threads.ts';
import { ModelMain } from '../fakes/two-threads.ts';

const CHANNELS = ['a', 'b', 'c'] as const;
const PADDING = 'x'.repeat(150);

/** What was published: values carry their version, deletions are told apart by when they were. */
class Published {
  version = 0;
  readonly deletions = new Map<string, number[]>();

  set(main: ModelMain, channel: string, key: string): void {
    main.set(channel, key, [++this.version, PADDING]);
  }

  delete(main: ModelMain, channel: string, key: string): void {
    const of = `${channel} ${key}`;
    this.deletions.set(of, [...(this.deletions.get(of) ?? []), ++this.version]);
    main.set(channel, key, undefined);
  }
}

/** The versions that one client has been shown, through all of its connections. */
class Shown {
  readonly back: string[] = [];
  readonly #published: Published;
  readonly #last = new Map<string, number>();

  constructor(published: Published) {
    this.#published = published;
  }

  listen(client: ModelClient | undefined): void {
    if (client === undefined) throw new Error('there is no client');
    client.onState = ({ channel, set, del = [] }) => {
      for (const [key, [version]] of Object.entries<[number]>(set)) this.#show(`${channel} ${key}`, version);
      for (const key of del) this.#delete(`${channel} ${key}`);
    };
  }

  #show(of: string, version: number): void {
    const last = this.#last.get(of) ?? 0;
    if (version < last) this.back.push(`${of}: ${last} -> ${version}`);
    this.#last.set(of, version);
  }

  /** Any deletion that is not older than what was shown. */
  #delete(of: string): void {
    const last = this.#last.get(of) ?? 0;
    const version = this.#published.deletions.get(of)?.find((deleted) => deleted >= last);
    if (version === undefined) this.back.push(`${of}: ${last} -> deleted`);
    else this.#last.set(of, version);
  }
}

describe('a client that changes its channels within a tick', () => {
  it('sees no value that is older than the one it had', () => {
    const main = new ModelMain(1);
    const [thread] = main.threads;
    if (thread === undefined) throw new Error('there is no thread');
    const published = new Published();
    const shown = new Shown(published);
    const connection = thread.connect(['a']);
    shown.listen(thread.clients.get(connection));
    const set = (): void => published.set(main, 'a', 'k');
    set();
    main.tick();
    thread.settle();
    // All before the next tick; the key changes in between, and each snapshot is asked for like the first.
    thread.fanOut.subscribe(connection, ['b']);
    thread.settle();
    set();
    thread.fanOut.unsubscribe(connection, ['a', 'b']);
    thread.fanOut.subscribe(connection, ['a']);
    thread.settle();
    set();
    thread.fanOut.subscribe(connection, ['c']);
    thread.settle();
    thread.fanOut.unsubscribe(connection, ['a', 'c']);
    thread.fanOut.subscribe(connection, ['a']);
    thread.settle();
    expect(thread.clients.get(connection)?.keys('a')).toEqual({ k: [3, PADDING] });
    expect(shown.back).toEqual([]);
  });
});

const channel = fc.constantFrom(...CHANNELS);
const thread = fc.nat({ max: 1 });
const which = fc.nat({ max: 5 });
const key = fc.nat({ max: 30 }).map((n) => `k${n}`);
const oneShardStep = fc.oneof(
  { weight: 8, arbitrary: fc.record({ do: fc.constant('set' as const), channel, key }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('delete' as const), channel, key }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('tick' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('forget' as const, 'sweep' as const) }) },
  {
    weight: 12,
    arbitrary: fc.record({
      do: fc.constantFrom('hear' as const, 'tell' as const, 'settle' as const),
      thread,
    }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('pong' as const), thread, which }) },
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constantFrom('join' as const, 'leave' as const), thread, which, channel }),
  },
);
type OneShardStep = typeof oneShardStep extends fc.Arbitrary<infer T> ? T : never;

/** Two threads of one shard with some clients each. */
class OneShard {
  readonly main = new ModelMain(2);
  readonly published = new Published();
  readonly shown: Shown[] = [];

  constructor() {
    for (const of of this.main.threads) {
      for (const channels of [['a'], ['a', 'b'], ['c']]) {
        const shown = new Shown(this.published);
        shown.listen(of.clients.get(of.connect(channels)));
        this.shown.push(shown);
      }
    }
  }

  run(one: OneShardStep): void {
    const { main, published } = this;
    const of = 'thread' in one ? main.threads[one.thread] : undefined;
    const connections = [...(of?.clients.keys() ?? [])];
    const chosen = 'which' in one ? connections[one.which % Math.max(1, connections.length)] : undefined;
    if (one.do === 'set') published.set(main, one.channel, one.key);
    else if (one.do === 'delete') published.delete(main, one.channel, one.key);
    else if (one.do === 'tick') {
      main.nowMs += 50;
      main.tick();
    } else if (one.do === 'forget') main.forget();
    else if (one.do === 'sweep') for (const { fanOut } of main.threads) fanOut.sweep();
    else if (of !== undefined) onThread(of, one.do, chosen, 'channel' in one ? one.channel : '');
  }
}

function onThread(of: ModelThread, what: string, chosen: Connection | undefined, channel: string): void {
  if (what === 'hear') of.hear();
  else if (what === 'tell') of.tell();
  else if (what === 'settle') of.settle();
  if (chosen === undefined) return;
  const has = of.fanOut.channelsOf(chosen).includes(channel);
  if (what === 'pong') of.pong(chosen);
  else if (what === 'join' && !has) of.fanOut.subscribe(chosen, [channel]);
  else if (what === 'leave' && has) of.fanOut.unsubscribe(chosen, [channel]);
}

describe('clients of a shard, whatever comes in which order', () => {
  it('are shown versions of a key that only rise', () => {
    fc.assert(
      fc.property(fc.array(oneShardStep, { maxLength: 300, size: 'max' }), (steps) => {
        const shard = new OneShard();
        for (const one of steps) shard.run(one);
        shard.main.tick();
        shard.main.settle();
        expect(shard.shown.flatMap(({ back }) => back)).toEqual([]);
      }),
      { numRuns: 100 },
    );
  }, 60_000);
});

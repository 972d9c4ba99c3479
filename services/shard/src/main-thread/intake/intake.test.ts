import type { Msg } from '@nats-io/transport-node';
import { createSubjects, streamDefinitions } from '@weir/protocol';
import type { Logger, NatsConnection, NatsLink, NatsStatus } from '@weir/runtime';
import { describe, expect, it } from 'vitest';
import type { LaneSink, Newness } from '../lanes/lane-sink.ts';
import type { CheckedMessage, Message } from '../lanes/message.ts';
import { Intake } from './intake.ts';
import type { StreamAccess } from './stream-access.ts';

type Callback = (error: Error | null, message: Msg) => void;

/** The link and its connection, as far as intake uses them. */
class FakeNats {
  connected = true;
  readonly rejected: string[] = [];
  readonly subscriptions = new Map<string, Callback>();
  publishFails = false;
  readonly #listeners: ((status: NatsStatus) => void)[] = [];

  link(): NatsLink {
    const connection = {
      subscribe: (subject: string, { callback }: { callback: Callback }) => {
        this.subscriptions.set(subject, callback);
        return { unsubscribe: () => this.subscriptions.delete(subject) };
      },
    };
    const link: Partial<NatsLink> = {
      ready: async () => connection as unknown as NatsConnection,
      onStatus: (listener) => this.#listeners.push(listener),
      publish: (_subject, _payload, options) => {
        if (this.publishFails) throw new Error('publish fails');
        this.rejected.push(options?.headers?.get('Weir-Reason') ?? '');
        return 'sent';
      },
    };
    return Object.defineProperty(link, 'connected', { get: () => this.connected }) as NatsLink;
  }

  tell(status: NatsStatus): void {
    this.connected = status !== 'disconnected';
    for (const listener of this.#listeners) listener(status);
  }

  /** What nats.js does with a message; a callback that throws would end its reading. */
  deliver(subscription: string, subject: string, payload: string): void {
    this.subscriptions.get(subscription)?.(null, { subject, data: Buffer.from(payload) } as unknown as Msg);
  }
}

/** An empty stream whose feed is in the test's hands. */
class FakeStream implements StreamAccess {
  lastSeq = 0;
  stored: Message[] = [];
  looks = 0;
  broken = false;
  feed: ((message: Message) => void) | undefined;
  onFault: ((fault: unknown) => void) | undefined;

  publish(subject: string, payload: string): void {
    const message = { seq: ++this.lastSeq, subject, data: Buffer.from(payload), timeMs: 0 };
    this.stored.push(message);
    this.feed?.(message);
  }

  async ensure(): Promise<void> {}

  async facts(): ReturnType<StreamAccess['facts']> {
    this.looks++;
    if (this.broken) throw new Error('stream overlaps');
    const { lastSeq } = this;
    const { length: messages } = this.stored;
    const { size: subjects } = new Set(this.stored.map(({ subject }) => subject));
    const stream = {
      createdMs: 1,
      generation: 0,
      hadMs: 0,
      firstSeq: 1,
      lastSeq,
      messages,
      subjects,
      agesOut: false,
    };
    return { ...stream, maxPerSubject: 10, serverNowMs: 0 };
  }

  async first(from: number): ReturnType<StreamAccess['first']> {
    const found = this.stored.find(({ seq }) => seq >= from);
    return found === undefined ? undefined : { ...found, size: found.data.length };
  }

  async last(subject: string): ReturnType<StreamAccess['last']> {
    return this.stored.findLast((one) => one.subject === subject);
  }

  async counts(): ReturnType<StreamAccess['counts']> {
    return new Map();
  }

  async oldest(): ReturnType<StreamAccess['oldest']> {
    return undefined;
  }

  async scan(): Promise<void> {}

  async put(): ReturnType<StreamAccess['put']> {
    return 'refused';
  }

  async writeEpoch(): Promise<void> {}

  async fill(fromSeq: number, take: (message: Message) => void): Promise<void> {
    for (const message of this.stored) if (message.seq >= fromSeq) take(message);
  }

  follow(take: (message: Message) => void): { stop(): void } {
    this.feed = take;
    return {
      stop: () => {
        this.feed = undefined;
      },
    };
  }
}

class FakeSink implements LaneSink {
  readonly taken: CheckedMessage[] = [];
  readonly skipped: number[] = [];
  readonly loads: number[] = [];
  full = false;
  broken = false;

  begin(): void {}

  take(message: CheckedMessage): Newness | 'full' {
    if (this.broken) throw new Error('take fails');
    if (this.full) return 'full';
    this.taken.push(message);
    return 'new';
  }

  skip({ seq }: Message): void {
    this.skipped.push(seq);
  }

  loaded(seq: number): void {
    this.loads.push(seq);
  }
}

async function settle(): Promise<void> {
  for (let i = 0; i < 20; i++) await new Promise((resolve) => setTimeout(resolve, 0));
}

function setUp(): {
  nats: FakeNats;
  intake: Intake;
  streams: { state: FakeStream; critical: FakeStream };
  state: FakeSink;
  critical: FakeSink;
  cosmetic: string[];
  counted: string[];
  hooks: { brokenCosmetic: boolean };
  said: string[];
} {
  const nats = new FakeNats();
  const streams = { state: new FakeStream(), critical: new FakeStream() };
  const state = new FakeSink();
  const critical = new FakeSink();
  const cosmetic: string[] = [];
  const counted: string[] = [];
  const hooks = { brokenCosmetic: false };
  const said: string[] = [];
  const say = (fields: { readonly err?: Error }, text: string): void => {
    said.push(fields.err === undefined ? text : `${text}: ${fields.err.message}`);
  };
  const logger = { info: () => undefined, warn: say, error: say } as unknown as Logger;
  const subjects = createSubjects();
  const intake = new Intake(
    {
      link: nats.link(),
      logger,
      subjects,
      bounds: { messageBytes: 100, depth: 5 },
      verifyMs: 1_000_000,
      nowMs: () => 0,
      streams: streamDefinitions(subjects),
      ensure: async () => undefined,
      state,
      critical,
      cosmetic: (channel, value) => {
        if (hooks.brokenCosmetic) throw new Error('cosmetic fails');
        cosmetic.push(`${channel} ${value}`);
      },
      onAccepted: (lane) => counted.push(`accepted ${lane}`),
      onRejected: (lane, reason) => counted.push(`rejected ${String(lane)} ${reason}`),
      onProblem: (stream, problem) => counted.push(`${stream} ${problem}`),
    },
    ({ definition, onFault }) => {
      const stream = definition.name === 'WEIR_STATE' ? streams.state : streams.critical;
      stream.onFault = onFault;
      return stream;
    },
  );
  return { nats, intake, streams, state, critical, cosmetic, counted, hooks, said };
}

const COSMETIC = 'weir.cosmetic.>';

describe('Intake', () => {
  it('is loaded when both streams have been read, and stale until then and while NATS is away', async () => {
    const { intake, nats, state, critical } = setUp();
    expect([intake.loaded, intake.stale]).toEqual([false, true]);
    await settle();
    expect([intake.loaded, intake.stale, state.loads, critical.loads]).toEqual([true, false, [0], [0]]);
    nats.tell('disconnected');
    expect([intake.loaded, intake.stale]).toEqual([true, true]);
    nats.tell('reconnected');
    // Connected is not enough: what came meanwhile must have been looked for.
    expect(intake.stale).toBe(true);
    await settle();
    expect(intake.stale).toBe(false);
    intake.stop();
  });

  it('hands each message to its lane', async () => {
    const { intake, nats, streams, state, critical, cosmetic, counted } = setUp();
    await settle();
    streams.state.publish('weir.state.sports.42.score', '{"n":1.0}');
    streams.state.publish('weir.state.sports.42.score', '');
    streams.critical.publish('weir.critical.lobby', '"hit"');
    nats.deliver(COSMETIC, 'weir.cosmetic.lobby', '"é"');
    expect(state.taken).toMatchObject([
      { channel: 'sports.42', key: 'score', value: '{"n":1.0}', seq: 1, timeMs: 0 },
      { channel: 'sports.42', key: 'score', value: undefined, seq: 2, timeMs: 0 },
    ]);
    expect(critical.taken).toMatchObject([{ channel: 'lobby', key: '', value: '"hit"', seq: 1 }]);
    expect(cosmetic).toEqual([`lobby ${Buffer.from('"é"').toString('latin1')}`]);
    expect(counted).toEqual(['accepted state', 'accepted state', 'accepted critical', 'accepted cosmetic']);
    intake.stop();
  });

  it('skips, counts and copies messages that cannot be broadcast, and continues after them', async () => {
    const { intake, nats, streams, state, critical, counted } = setUp();
    await settle();
    streams.state.publish('weir.state.lobby.a', '{');
    streams.state.publish('weir.state.lobby', '1');
    streams.state.publish('weir.state.lobby.a', '1');
    streams.critical.publish('weir.critical.lobby', '');
    nats.deliver(COSMETIC, 'weir.cosmetic.lobby', '[[[[[[1]]]]]]');
    state.full = true;
    streams.state.publish('weir.state.lobby.b', '2');
    expect([state.skipped, critical.skipped, state.taken.length]).toEqual([[1, 2], [1], 1]);
    expect(counted).toEqual([
      'rejected state notJson',
      'rejected state subject',
      'accepted state',
      'rejected critical empty',
      'rejected cosmetic tooDeep',
      'rejected state stateFull',
    ]);
    expect(nats.rejected).toEqual(['notJson', 'subject', 'empty', 'tooDeep', 'stateFull']);
    intake.stop();
  });

  describe('a fault', () => {
    it('of one message of a stream skips that message', async () => {
      const { intake, streams, state, counted } = setUp();
      await settle();
      state.broken = true;
      expect(() => streams.state.publish('weir.state.lobby.a', '1')).not.toThrow();
      state.broken = false;
      streams.state.publish('weir.state.lobby.b', '2');
      expect([state.skipped, state.taken.map(({ key }) => key)]).toEqual([[1], ['b']]);
      expect(counted).toEqual(['rejected state internal', 'accepted state']);
      intake.stop();
    });

    it('of one loaded message does not keep the shard from loading', async () => {
      const { intake, streams, critical, counted } = setUp();
      critical.broken = true;
      streams.critical.publish('weir.critical.lobby', '1');
      await settle();
      expect([intake.loaded, critical.skipped, counted]).toEqual([true, [1], ['rejected critical internal']]);
      intake.stop();
    });

    it('of the cosmetic lane does not reach the NATS client', async () => {
      const { intake, nats, cosmetic, counted, hooks } = setUp();
      await settle();
      hooks.brokenCosmetic = true;
      expect(() => nats.deliver(COSMETIC, 'weir.cosmetic.lobby', '1')).not.toThrow();
      hooks.brokenCosmetic = false;
      nats.deliver(COSMETIC, 'weir.cosmetic.lobby', '2');
      expect(cosmetic).toEqual(['lobby 2']);
      expect(counted).toContain('rejected cosmetic internal');
      intake.stop();
    });

    it('of copying a bad message does not reach the NATS client', async () => {
      const { intake, nats, counted } = setUp();
      await settle();
      nats.publishFails = true;
      expect(() => nats.deliver(COSMETIC, 'weir.cosmetic.lobby', '{')).not.toThrow();
      expect(counted).toEqual(['rejected cosmetic notJson', 'rejected cosmetic internal']);
      intake.stop();
    });

    it('of the feed is counted, and the reader looks for missing messages in the stream', async () => {
      const { intake, streams, state, counted } = setUp();
      await settle();
      const { feed } = streams.state;
      streams.state.feed = undefined;
      streams.state.publish('weir.state.lobby.a', '1');
      streams.state.feed = feed;
      streams.state.onFault?.(new Error('bad header'));
      await settle();
      expect(state.taken.map(({ key }) => key)).toEqual(['a']);
      expect(counted).toEqual(['rejected state internal', 'accepted state']);
      intake.stop();
    });
  });

  it('logs each kind of fault once a second, independently of the others', async () => {
    const { intake, nats, streams, said } = setUp();
    await settle();
    for (let i = 0; i < 50; i++) nats.deliver(COSMETIC, 'weir.cosmetic.lobby', '{');
    streams.critical.broken = true;
    intake.poke();
    await settle();
    expect(said.slice(0, 2)).toEqual([
      'message cannot be broadcast',
      'stream needs attention: stream overlaps',
    ]);
    intake.stop();
  });

  it('looks at the streams on request', async () => {
    const { intake, streams } = setUp();
    await settle();
    const { looks } = streams.state;
    intake.poke();
    await settle();
    expect(streams.state.looks).toBe(looks + 1);
    intake.stop();
    await settle();
    expect(streams.state.feed).toBeUndefined();
  });
});

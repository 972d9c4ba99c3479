import type { Msg } from '@nats-io/transport-node';
import { headers } from '@nats-io/transport-node';
import { createSubjects, streamDefinitions } from '@weir/protocol';
import type { NatsConnection } from '@weir/runtime';
import { describe, expect, it } from 'vitest';
import type { Message } from '../lanes/message.ts';
import { NatsStream } from './nats-stream.ts';

type Callback = (error: Error | null, message: Msg) => void;

/** A stream over a connection that only subscribes: the feed. Fills need a server; test/cluster/main-path has one. */
function follow(): {
  taken: Message[];
  faults: unknown[];
  subscribed: string[];
  deliver: Callback;
  advise: Callback;
  changes: () => number;
  stop: () => void;
} {
  const taken: Message[] = [];
  const faults: unknown[] = [];
  const subscribed: string[] = [];
  let deliver: Callback = () => undefined;
  let advise: Callback = () => undefined;
  let changes = 0;
  const connection = {
    options: {},
    subscribe: (subject: string, { callback }: { callback: Callback }) => {
      subscribed.push(subject);
      if (subject.startsWith('weir.')) deliver = callback;
      else advise = callback;
      return { unsubscribe: () => subscribed.pop() };
    },
  };
  const subjects = createSubjects();
  const stream = new NatsStream({
    connection: connection as unknown as NatsConnection,
    definition: streamDefinitions(subjects).critical,
    ensure: async () => undefined,
    fromLive: subjects.fromLive,
    onFault: (fault) => faults.push(fault),
  });
  const { stop } = stream.follow(
    (message) => taken.push(message),
    () => void changes++,
  );
  return { taken, faults, subscribed, deliver, advise, stop, changes: () => changes };
}

function message(about: Record<string, string>, subject = 'weir.live.critical.lobby'): Msg {
  const lines = headers();
  for (const [name, value] of Object.entries(about)) lines.set(name, value);
  return { subject, data: Buffer.from('1'), headers: lines } as unknown as Msg;
}

const good = {
  'Nats-Stream': 'WEIR_CRITICAL',
  'Nats-Sequence': '57',
  'Nats-Time-Stamp': '2026-01-02T03:04:05.678999999Z',
};

describe('the feed of a stream', () => {
  it('has the republished messages, with sequence, time and data subject', () => {
    const { taken, subscribed, deliver, stop } = follow();
    expect(subscribed).toEqual(['weir.live.critical.>', '$JS.EVENT.ADVISORY.STREAM.*.WEIR_CRITICAL']);
    deliver(null, message(good));
    expect(taken).toEqual([
      {
        seq: 57,
        subject: 'weir.critical.lobby',
        data: Buffer.from('1'),
        timeMs: Date.UTC(2026, 0, 2, 3, 4, 5, 678),
      },
    ]);
    stop();
    expect(subscribed).toEqual([]);
  });

  it.each([
    ['another stream', { ...good, 'Nats-Stream': 'OTHER' }],
    ['no sequence', { 'Nats-Stream': 'WEIR_CRITICAL' }],
    ['sequence 0', { ...good, 'Nats-Sequence': '0' }],
    ['a sequence that is no number', { ...good, 'Nats-Sequence': '1e999' }],
    ['a sequence beyond what a number holds', { ...good, 'Nats-Sequence': '9007199254740993' }],
  ])('leaves out what somebody else published there: %s', (_name, about) => {
    const { taken, faults, deliver } = follow();
    deliver(null, message(about));
    deliver(null, { subject: 'weir.live.critical.lobby', data: Buffer.from('1') } as unknown as Msg);
    expect([taken, faults]).toEqual([[], []]);
  });

  it('leaves out headers that come without their content, but not an empty message', () => {
    const { taken, deliver } = follow();
    const empty = (about: Record<string, string>): Msg => ({ ...message(about), data: Buffer.alloc(0) });
    deliver(null, empty({ ...good, 'Nats-Msg-Size': '3' }));
    expect(taken).toEqual([]);
    deliver(null, empty({ ...good, 'Nats-Msg-Size': '0' }));
    deliver(null, empty(good));
    expect(taken).toHaveLength(2);
  });

  it('reports headers that cannot be read, and continues', () => {
    const { taken, faults, deliver } = follow();
    const broken = new Error("' ' is not a valid character in a header name");
    const unreadable = Object.defineProperty(
      { subject: 'weir.live.critical.lobby', data: new Uint8Array(0) },
      'headers',
      {
        get: () => {
          throw broken;
        },
      },
    );
    expect(() => deliver(null, unreadable as Msg)).not.toThrow();
    deliver(null, message(good));
    expect([taken.length, faults]).toEqual([1, [broken]]);
  });

  it('reports advisories of the stream, and works without the permission for them', () => {
    const { taken, faults, advise, changes } = follow();
    advise(null, message({}, '$JS.EVENT.ADVISORY.STREAM.UPDATED.WEIR_CRITICAL'));
    advise(new Error('permissions violation'), message({}));
    expect([changes(), taken, faults]).toEqual([1, [], []]);
  });
});

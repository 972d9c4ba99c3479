import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { entryOf } from '../fakes/shard-entry.ts';
import type { Endpoint } from './second-opinion.ts';
import { readEndpoints, SecondOpinion } from './second-opinion.ts';

const endpoint = (shard: string, over: Partial<Endpoint> = {}): Endpoint => ({
  shard,
  uid: `uid-${shard}`,
  serving: true,
  terminating: false,
  ...over,
});

function setUp(): { readonly clock: { nowMs: number }; readonly opinion: SecondOpinion } {
  const clock = { nowMs: 0 };
  return { clock, opinion: new SecondOpinion(() => clock.nowMs) };
}

describe('readEndpoints', () => {
  it('reads the pods of a slice', () => {
    const pod = (name: string, conditions: object): object => ({
      addresses: ['10.0.0.1'],
      conditions,
      targetRef: { kind: 'Pod', name, uid: `uid-${name}` },
    });
    const slice = {
      addressType: 'IPv4',
      endpoints: [
        pod('a', { ready: true, serving: true, terminating: false }),
        pod('b', { ready: false, serving: true, terminating: true }),
        pod('c', { ready: false }),
        pod('d', {}),
        { addresses: ['10.0.0.2'] },
        { targetRef: { kind: 'Node', name: 'n' } },
      ],
    };
    expect(readEndpoints(slice)).toEqual([
      endpoint('a'),
      endpoint('b', { terminating: true }),
      endpoint('c', { serving: false }),
      endpoint('d'),
    ]);
  });

  it('never throws', () => {
    fc.assert(fc.property(fc.anything(), (slice) => void readEndpoints(slice)));
    fc.assert(fc.property(fc.array(fc.anything()), (endpoints) => void readEndpoints({ endpoints })));
  });
});

describe('SecondOpinion', () => {
  it('says what the slices say, and nothing of who is in none', () => {
    const { opinion } = setUp();
    opinion.observe([
      [endpoint('a'), endpoint('b', { serving: false })],
      [endpoint('c', { terminating: true })],
    ]);
    expect(['a', 'b', 'c', 'd'].map((shard) => opinion.of(shard))).toEqual([
      'serving',
      'notServing',
      'terminating',
      undefined,
    ]);
  });

  it('says for a minute that who was there is gone, until it is there again', () => {
    const { clock, opinion } = setUp();
    opinion.observe([[endpoint('a'), endpoint('b')]]);
    opinion.observe([]);
    expect([opinion.of('a'), opinion.of('b')]).toEqual(['gone', 'gone']);
    clock.nowMs = 60_000;
    opinion.observe([[endpoint('a', { uid: 'another' })]]);
    expect([opinion.of('a'), opinion.of('b')]).toEqual(['serving', 'gone']);
    clock.nowMs = 60_001;
    expect(opinion.of('b')).toBeUndefined();
  });

  it('takes a pod once that stands in several slices, and the newer of two of one name', () => {
    const { opinion } = setUp();
    const leaving = { terminating: true };
    opinion.observe([
      [endpoint('twice'), endpoint('v6', { serving: false })],
      [endpoint('twice', leaving), endpoint('v6'), endpoint('again', { ...leaving, uid: 'old' })],
      [endpoint('again', { uid: 'new' })],
    ]);
    expect(['twice', 'v6', 'again'].map((shard) => opinion.of(shard))).toEqual([
      'terminating',
      'serving',
      'serving',
    ]);
  });

  it('takes shards away, and adds none', () => {
    const { opinion } = setUp();
    opinion.observe([[endpoint('a', { terminating: true }), endpoint('b'), endpoint('unheard')]]);
    const weighed = opinion.weigh([entryOf('a'), entryOf('b'), entryOf('new')]);
    expect(weighed.map(({ shard, draining }) => [shard, draining])).toEqual([
      ['a', true],
      ['b', false],
      ['new', false],
    ]);
  });

  it('leaves the table as it is where it would take the last ones', () => {
    const { opinion } = setUp();
    opinion.observe([[endpoint('a'), endpoint('b')]]);
    opinion.observe([]);
    const entries = [entryOf('a'), entryOf('b', { ready: false })];
    expect(opinion.weigh(entries)).toBe(entries);
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LANES } from './lanes.ts';
import type { Address } from './subjects.ts';
import { createSubjects, isSubjectPrefix } from './subjects.ts';

const token = fc.stringMatching(/^[A-Za-z0-9_-]{1,8}$/);
const channel = fc.oneof(
  fc.array(token, { minLength: 1, maxLength: 5 }).map((tokens) => tokens.join('.')),
  fc.constantFrom('__proto__', 'constructor.toString', 'state', 'live.state.a', 'ctl', '10', '-', '_'),
);
const key = fc.oneof(token, fc.constantFrom('__proto__', 'hasOwnProperty', '10', '-', '_'));
const address: fc.Arbitrary<Address> = fc.oneof(
  fc.record({ lane: fc.constant('state' as const), channel, key }),
  fc.record({ lane: fc.constantFrom('critical' as const, 'cosmetic' as const), channel }),
);
const prefix = fc.oneof(fc.constantFrom('weir', 'a.b', 'weir.live'), channel);

describe('createSubjects', () => {
  it('parses what it builds, under any prefix', () => {
    fc.assert(
      fc.property(prefix, address, (name, given) => {
        const subjects = createSubjects(name);
        const subject = subjects.data(given);
        expect(subjects.parse(subject)).toEqual(given);
        expect(subjects.laneOf(subject)).toBe(given.lane);
      }),
    );
  });

  it('builds what it parses', () => {
    const subjects = createSubjects();
    const texts = fc.oneof(
      fc.string(),
      fc.string().map((rest) => `weir.state.${rest}`),
      fc.stringMatching(/^weir\.(state|critical|cosmetic|live|ctl)\.[a-z.>* -]{0,12}$/),
    );
    fc.assert(
      fc.property(texts, (text) => {
        const parsed = subjects.parse(text);
        if (parsed !== undefined) expect(subjects.data(parsed)).toBe(text);
      }),
      { numRuns: 2000 },
    );
  });

  it('never throws on a subject, and never takes one of another prefix', () => {
    const ours = createSubjects('weir');
    fc.assert(
      fc.property(fc.string(), address, (text, given) => {
        expect(() => ours.parse(text)).not.toThrow();
        expect(() => ours.laneOf(text)).not.toThrow();
        expect(ours.parse(createSubjects('weir2').data(given))).toBeUndefined();
      }),
    );
  });

  it('takes the last token of a state subject as the key', () => {
    const subjects = createSubjects();
    const parsed = subjects.parse('weir.state.sports.football.42.odds');
    expect(parsed).toEqual({ lane: 'state', channel: 'sports.football.42', key: 'odds' });
  });

  it.each([
    'weir',
    'weir.',
    'weir.state',
    'weir.state.',
    'weir.state.lobby',
    'weir.state..key',
    'weir.state.lobby.',
    'weir.state.lobby.*',
    'weir.state.lobby.>',
    'weir.state.lobby.a b',
    'weir.critical',
    'weir.critical.',
    'weir.critical.a..b',
    'weir.live.state.lobby.a',
    'weir.ctl.beat.mobile.a',
    'weir.rejected',
    'weir.State.lobby.a',
    'xweir.state.lobby.a',
    'weir2.state.lobby.a',
    'weir.state.lobby.é',
    'weir.__proto__.lobby.a',
    'weir.constructor.lobby.a',
  ])('does not parse %s', (subject) => {
    expect(createSubjects().parse(subject)).toBeUndefined();
  });

  it('knows the lane of a subject whose names are wrong', () => {
    const subjects = createSubjects();
    expect(subjects.laneOf('weir.state.a b')).toBe('state');
    expect(subjects.laneOf('weir.critical..')).toBe('critical');
    expect(subjects.laneOf('weir.ctl.beat')).toBeUndefined();
    expect(subjects.laneOf('weir.state')).toBeUndefined();
  });

  it.each([
    { lane: 'state', channel: 'lobby', key: 'a.b' },
    { lane: 'state', channel: 'lobby', key: '' },
    { lane: 'state', channel: 'lobby', key: '>' },
    { lane: 'state', channel: 'lobby', key: 'k'.repeat(129) },
    { lane: 'critical', channel: '' },
    { lane: 'cosmetic', channel: 'a.*' },
    { lane: 'critical', channel: 'a\r\nPUB x 0' },
  ] as const)('does not build %j', (wrong) => {
    expect(() => createSubjects().data(wrong)).toThrow(RangeError);
  });

  it('leads from the live subject back to the data subject', () => {
    const subjects = createSubjects('weir.live');
    expect(subjects.live('state')).toBe('weir.live.live.state.>');
    fc.assert(
      fc.property(prefix, address, (name, given) => {
        const one = createSubjects(name);
        const subject = one.data(given);
        const live = `${name}.live.${subject.slice(name.length + 1)}`;
        expect(one.fromLive(live)).toBe(subject);
        expect(one.parse(live)).toBeUndefined();
      }),
    );
  });

  it('has wildcards that cover each lane and control', () => {
    const subjects = createSubjects('a.b');
    expect(LANES.map(subjects.all)).toEqual(['a.b.state.>', 'a.b.critical.>', 'a.b.cosmetic.>']);
    expect(subjects.beat('mobile', 's1')).toBe('a.b.ctl.beat.mobile.s1');
    expect(subjects.allBeats).toBe('a.b.ctl.beat.*.*');
    expect(subjects.shed('s1')).toBe('a.b.ctl.shed.s1');
    expect(subjects.rejected).toBe('a.b.rejected');
  });
});

describe('isSubjectPrefix', () => {
  it.each(['', '.', 'a.', 'a b', '>', '*', 'a.*', 'x'.repeat(65), 'weir\n'])('refuses %j', (text) => {
    expect(isSubjectPrefix(text)).toBe(false);
    expect(() => createSubjects(text)).toThrow(RangeError);
  });
});

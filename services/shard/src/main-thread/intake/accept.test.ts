import { createSubjects } from '@weir/protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { accept } from './intake.ts';
import { REJECT_REASONS } from './rejected.ts';

const subjects = createSubjects();
const bounds = { messageBytes: 100, depth: 3 };

function judge(subject: string, payload: string | Uint8Array): ReturnType<typeof accept> {
  const data = typeof payload === 'string' ? Buffer.from(payload) : payload;
  return accept({ seq: 7, subject, data, timeMs: 9 }, subjects, bounds);
}

describe('accept', () => {
  it('keeps a payload byte for byte, as one char a byte', () => {
    for (const text of ['{"n":17843232920108168701,"d":1.0,"e":1E2,"z":-0}', ' "😀é\\u00e9" ', 'null']) {
      const accepted = judge('weir.state.lobby.slot-1', text);
      expect('value' in accepted && Buffer.from(accepted.value ?? '', 'latin1').toString()).toBe(text);
    }
  });

  it('reads a payload that is a part of a larger buffer', () => {
    const read = Buffer.from('PUB x 3\r\n"a"\r\n');
    expect(judge('weir.cosmetic.lobby', read.subarray(9, 12))).toMatchObject({ value: '"a"' });
  });

  it('takes the last token of a state subject for the key', () => {
    expect(judge('weir.state.sports.football.42.home', '1')).toMatchObject({
      lane: 'state',
      channel: 'sports.football.42',
      key: 'home',
    });
    expect(judge('weir.state.__proto__.constructor', '1')).toMatchObject({
      channel: '__proto__',
      key: 'constructor',
    });
  });

  it('keeps the place of the message in its stream', () => {
    expect(judge('weir.critical.lobby', '1')).toMatchObject({ seq: 7, timeMs: 9, lane: 'critical', key: '' });
  });

  it('takes an empty payload for a deletion in the state lane, and for a fault elsewhere', () => {
    expect(judge('weir.state.lobby.slot-1', '')).toMatchObject({ value: undefined });
    expect(judge('weir.critical.lobby', '')).toEqual({ reject: 'empty', lane: 'critical' });
    expect(judge('weir.cosmetic.lobby', '')).toEqual({ reject: 'empty', lane: 'cosmetic' });
  });

  it.each([
    ['weir.state.lobby', '1', 'subject', 'state'],
    ['weir.state.a b.c', '1', 'subject', 'state'],
    ['weir.critical.', '1', 'subject', 'critical'],
    ['weir.other.lobby', '1', 'subject', undefined],
    ['elsewhere', '1', 'subject', undefined],
    ['weir.state.lobby.a', `"${'x'.repeat(100)}"`, 'tooLarge', 'state'],
    ['weir.state.lobby.a', '\ufeff1', 'bom', 'state'],
    ['weir.state.lobby.a', Uint8Array.of(0x22, 0xff, 0x22), 'notUtf8', 'state'],
    ['weir.critical.lobby', '{', 'notJson', 'critical'],
    ['weir.critical.lobby', '[[[[1]]]]', 'tooDeep', 'critical'],
    ['weir.cosmetic.lobby', ' ', 'notJson', 'cosmetic'],
  ])('refuses %s with its reason', (subject, payload, reject, lane) => {
    expect(judge(subject, payload)).toEqual({ reject, lane });
  });

  it('never throws, and refuses only for a reason of the closed set', () => {
    const subject = fc.oneof(
      fc.string(),
      fc
        .tuple(fc.constantFrom('weir.state.', 'weir.critical.', 'weir.cosmetic.'), fc.string())
        .map((parts) => parts.join('')),
    );
    fc.assert(
      fc.property(subject, fc.uint8Array({ maxLength: 150 }), (name, payload) => {
        const verdict = judge(name, payload);
        if ('reject' in verdict) expect(REJECT_REASONS).toContain(verdict.reject);
        else expect(verdict.channel.length).toBeGreaterThan(0);
      }),
      { numRuns: 1_000 },
    );
  });
});

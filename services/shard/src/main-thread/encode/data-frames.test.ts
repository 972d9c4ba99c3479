import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { heardTexts } from '../../fakes/client-ear.ts';
import { StateLog } from '../lanes/state-log.ts';
import type { StatePiece } from './data-frames.ts';
import { cosmeticFrames, criticalFrame, statePiece } from './data-frames.ts';

const latin1 = (text: string): string => Buffer.from(text).toString('latin1');

/** Texts that a parser and a writer of JSON would not give back as they came (case A3), and hostile ones. */
const quirks = [
  '{"id":9007199254740993,"n":17843232920108168701,"d":1.0,"e":1E2,"z":-0}',
  ' [ 1 , 2 ]\r\n\t',
  '{"a":1,"a":2}',
  '"\\u0000\\ud800"',
  '"😀é€\u2028\u007f"',
  '"},\\"del\\":[\\"x\\"]}"',
  '"]}"',
  '{"__proto__":{"polluted":1}}',
  'null',
];
const value = fc.oneof(fc.constantFrom(...quirks), fc.json({ stringUnit: 'grapheme' }));
const key = fc.oneof(
  fc.constantFrom('__proto__', 'constructor', 'toString', 'hasOwnProperty', '10', '-', '_'),
  fc.stringMatching(/^[A-Za-z0-9_-]{1,20}$/),
);
const channel = fc.constantFrom('lobby', 'sports.football.42', '__proto__', 'constructor.prototype');

interface StateFrame {
  readonly head: string;
  readonly more: boolean;
  /** The text between the braces of `set`. */
  readonly set: string;
  readonly keys: readonly string[];
  readonly del: readonly string[];
}

/** Takes a state frame apart without re-writing any value. */
function apart(text: string): StateFrame {
  const at = text.indexOf(',"set":{');
  const parsed: { set: object; del?: string[]; more?: boolean } = JSON.parse(text);
  const tail = parsed.del === undefined ? '}}' : `},"del":${JSON.stringify(parsed.del)}}`;
  expect(text.endsWith(tail)).toBe(true);
  return {
    head: text.slice(0, at),
    more: parsed.more === true,
    set: text.slice(at + ',"set":{'.length, text.length - tail.length),
    keys: Object.keys(parsed.set),
    del: parsed.del ?? [],
  };
}

function framesOf(piece: StatePiece): readonly StateFrame[] {
  return heardTexts(Buffer.concat(piece.frames)).map(apart);
}

describe('state frames', () => {
  const wide = { maxFrameBytes: 30_000, maxPieceBytes: Number.POSITIVE_INFINITY };

  it('carry every value byte for byte, in the order of the log, in frames within the limit', () => {
    const changes = fc.array(fc.record({ key, value: fc.option(value, { nil: undefined }) }), {
      maxLength: 40,
    });
    fc.assert(
      fc.property(channel, changes, fc.integer({ min: 1, max: 400 }), (name, all, maxFrameBytes) => {
        const log = new StateLog();
        all.forEach((change, i) => {
          const text = change.value === undefined ? undefined : latin1(change.value);
          log.apply({ key: change.key, value: text, seq: i + 1 }, 0);
        });
        const piece = statePiece(log, {
          ...wide,
          channel: name,
          sinceSeq: 0,
          snapshot: false,
          maxFrameBytes,
        });
        const frames = framesOf(piece);
        const set: string[] = [];
        const del: string[] = [];
        log.since(0, (entry) => {
          if (entry.value === undefined) del.push(entry.key);
          else set.push(`"${entry.key}":${Buffer.from(entry.value, 'latin1').toString()}`);
          return true;
        });
        expect(
          frames
            .map((frame) => frame.set)
            .filter((text) => text !== '')
            .join(','),
        ).toBe(set.join(','));
        expect(frames.flatMap((frame) => frame.del)).toEqual(del);
        expect(frames.every(({ head }) => head === `{"type":"state","channel":"${name}"`)).toBe(true);
        frames.forEach(({ keys, del: gone }, i) => {
          // A frame is too large only where one entry alone is.
          if (keys.length + gone.length > 1)
            expect(piece.frames[i]?.length).toBeLessThanOrEqual(maxFrameBytes + 4);
        });
        expect(piece).toMatchObject({ done: true, toSeq: log.lastSeq, keys: set.length + del.length });
        expect(piece.bytes).toBe(piece.frames.reduce((sum, frame) => sum + frame.length, 0));
      }),
      { numRuns: 300 },
    );
  });

  it('make a snapshot in pieces that a client assembles to the content of the log', () => {
    const changes = fc.array(fc.record({ key, value: fc.option(value, { nil: undefined }) }), {
      maxLength: 40,
    });
    fc.assert(
      fc.property(
        changes,
        fc.array(fc.record({ key, value: fc.option(value, { nil: undefined }) }), { maxLength: 10 }),
        fc.integer({ min: 1, max: 300 }),
        fc.integer({ min: 1, max: 600 }),
        (before, during, maxFrameBytes, maxPieceBytes) => {
          const log = new StateLog();
          let seq = 0;
          const write = (change: { key: string; value: string | undefined }): void => {
            const text = change.value === undefined ? undefined : latin1(change.value);
            log.apply({ key: change.key, value: text, seq: ++seq }, 0);
          };
          for (const change of before) write(change);
          const client = new Map<string, string>();
          const more: boolean[] = [];
          let sinceSeq = 0;
          const waiting = [...during];
          for (let done = false; !done; ) {
            const piece = statePiece(log, {
              channel: 'lobby',
              sinceSeq,
              snapshot: true,
              maxFrameBytes,
              maxPieceBytes,
            });
            expect(piece.frames.length).toBeGreaterThan(0);
            for (const text of heardTexts(Buffer.concat(piece.frames))) {
              const frame: { set: object; del?: string[]; more?: boolean; snapshot?: boolean } =
                JSON.parse(text);
              expect(frame.snapshot).toBe(true);
              more.push(frame.more === true);
              for (const [name, one] of Object.entries(frame.set)) client.set(name, JSON.stringify(one));
              for (const name of frame.del ?? []) client.delete(name);
            }
            ({ toSeq: sinceSeq, done } = piece);
            // The log goes on while the client takes its time.
            const change = waiting.pop();
            if (!done && change !== undefined) write(change);
          }
          const expected = new Map<string, string>();
          log.since(0, (entry) => {
            if (entry.value !== undefined) {
              const text = Buffer.from(entry.value, 'latin1').toString();
              expected.set(entry.key, JSON.stringify(JSON.parse(text)));
            }
            return true;
          });
          expect(client).toEqual(expected);
          expect(more).toEqual(more.map((_, i) => i < more.length - 1));
        },
      ),
      { numRuns: 300 },
    );
  });

  it('are one empty frame for an empty channel, and none without a change', () => {
    const request = { ...wide, channel: 'lobby', sinceSeq: 0 };
    expect(heardTexts(Buffer.concat(statePiece(undefined, { ...request, snapshot: true }).frames))).toEqual([
      '{"type":"state","channel":"lobby","snapshot":true,"set":{}}',
    ]);
    expect(statePiece(new StateLog(), { ...request, snapshot: false }).frames).toEqual([]);
  });

  it('leave deletions out of a snapshot, since there is nothing to delete', () => {
    const log = new StateLog();
    log.apply({ key: 'a', value: '1', seq: 1 }, 0);
    log.apply({ key: 'b', value: undefined, seq: 2 }, 0);
    const piece = statePiece(log, { ...wide, channel: 'lobby', sinceSeq: 0, snapshot: true });
    expect(heardTexts(Buffer.concat(piece.frames))).toEqual([
      '{"type":"state","channel":"lobby","snapshot":true,"set":{"a":1}}',
    ]);
    expect(piece).toMatchObject({ toSeq: 2, done: true });
  });

  it('stop a piece at its size, but never before one entry', () => {
    const log = new StateLog();
    for (let seq = 1; seq <= 3; seq++) log.apply({ key: `k${seq}`, value: '"1234567890"', seq }, 0);
    const request = { ...wide, channel: 'lobby', snapshot: false, maxPieceBytes: 1 };
    expect(statePiece(log, { ...request, sinceSeq: 0 })).toMatchObject({ toSeq: 1, done: false, keys: 1 });
    expect(statePiece(log, { ...request, sinceSeq: 2 })).toMatchObject({ toSeq: 3, done: true, keys: 1 });
  });

  it('keep the largest value with the longest names within the largest frame', () => {
    const log = new StateLog();
    log.apply({ key: 'k'.repeat(128), value: `"${'v'.repeat(16_382)}"`, seq: 1 }, 0);
    const piece = statePiece(log, { ...wide, channel: 'c'.repeat(128), sinceSeq: 0, snapshot: true });
    expect(piece.bytes).toBeLessThan(20_000);
  });
});

describe('critical frames', () => {
  it('carry the value byte for byte, with channel and id', () => {
    fc.assert(
      fc.property(channel, value, fc.maxSafeNat(), (name, data, seq) => {
        const frame = criticalFrame(name, { seq, value: latin1(data), timeMs: 0, storedMs: 0 });
        expect(heardTexts(frame)).toEqual([
          `{"type":"critical","channel":"${name}","id":${seq},"data":${data}}`,
        ]);
        expect(JSON.parse(heardTexts(frame)[0] ?? '').id).toBe(seq);
      }),
    );
  });
});

describe('cosmetic frames', () => {
  it('carry every value byte for byte and in order, in frames within the limit', () => {
    fc.assert(
      fc.property(
        channel,
        fc.array(value, { maxLength: 20 }),
        fc.integer({ min: 1, max: 400 }),
        (name, values, maxFrameBytes) => {
          const frames = cosmeticFrames(name, values.map(latin1), maxFrameBytes);
          const head = `{"type":"cosmetic","channel":"${name}","data":[`;
          const texts = heardTexts(Buffer.concat(frames));
          expect(texts.map((text) => text.slice(head.length, -2)).join(',')).toBe(values.join(','));
          texts.forEach((text, i) => {
            expect(text.startsWith(head) && text.endsWith(']}')).toBe(true);
            const count: number = JSON.parse(text).data.length;
            expect(count).toBeGreaterThan(0);
            if (count > 1) expect(frames[i]?.length).toBeLessThanOrEqual(maxFrameBytes + 4);
          });
        },
      ),
    );
  });
});

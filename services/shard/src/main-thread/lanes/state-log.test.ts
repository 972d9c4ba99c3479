import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Deletions } from './deletions.ts';
import type { StateEntry } from './state-log.ts';
import { StateLog } from './state-log.ts';

function everySince(log: StateLog, seq: number): readonly StateEntry[] {
  const entries: StateEntry[] = [];
  log.since(seq, ({ key, value, seq: at, timeMs }) => {
    entries.push({ key, value, seq: at, timeMs });
    return true;
  });
  return entries;
}

/** Forgets the deletions of a log that are older than `beforeMs`. */
function forgetDeletions(log: StateLog, deletions: Deletions, beforeMs: number): void {
  let next = deletions.oldest;
  while (next !== undefined && next.timeMs < beforeMs) {
    log.forget(next);
    next = deletions.oldest;
  }
}

/** The plain model: a list of the newest entry of each key, oldest first. */
class Model {
  entries: StateEntry[] = [];
  floorSeq = 0;

  apply(entry: StateEntry): boolean {
    if (entry.seq <= Math.max(this.floorSeq, this.entries.at(-1)?.seq ?? 0)) return false;
    this.entries = [...this.entries.filter(({ key }) => key !== entry.key), entry];
    return true;
  }

  forgetDeletions(beforeMs: number): void {
    const gone = this.entries.filter(({ value, timeMs }) => value === undefined && timeMs < beforeMs);
    this.floorSeq = Math.max(this.floorSeq, ...gone.map(({ seq }) => seq));
    this.entries = this.entries.filter((entry) => !gone.includes(entry));
  }
}

type Step =
  | {
      readonly do: 'apply';
      readonly key: string;
      readonly value: string | undefined;
      readonly ahead: number;
      readonly afterMs: number;
    }
  | { readonly do: 'read'; readonly share: number; readonly limit: number }
  | { readonly do: 'forget'; readonly ageMs: number };

const keys = ['a', 'b', 'c', 'slot-42', '__proto__', 'constructor', '10', '-'];
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('apply' as const),
      key: fc.constantFrom(...keys),
      value: fc.option(fc.stringMatching(/^"[a-z]{0,9}"$/), { nil: undefined }),
      // 0 and less: a message that was here before, or an older one.
      ahead: fc.integer({ min: -3, max: 5 }),
      afterMs: fc.nat(20),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('read' as const),
      share: fc.double({ min: 0, max: 1.2, noNaN: true }),
      limit: fc.nat(9),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('forget' as const), ageMs: fc.nat(100) }) },
);

describe('StateLog', () => {
  it('is what the plain model is, after any order of sets, deletions, reads and forgetting', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
        const deletions = new Deletions();
        const log = new StateLog('a', undefined, deletions);
        const model = new Model();
        let seq = 0;
        let nowMs = 0;
        for (const now of steps) {
          if (now.do === 'apply') {
            nowMs += now.afterMs;
            const entry = { key: now.key, value: now.value, seq: seq + now.ahead, timeMs: nowMs };
            seq = Math.max(seq, entry.seq);
            expect(log.apply(entry, nowMs)).toBe(model.apply(entry));
          } else if (now.do === 'forget') {
            forgetDeletions(log, deletions, nowMs - now.ageMs);
            model.forgetDeletions(nowMs - now.ageMs);
          } else {
            const since = Math.floor(seq * now.share);
            const taken: StateEntry[] = [];
            log.since(since, (entry) => {
              taken.push(entry);
              return taken.length < now.limit;
            });
            const expected = model.entries.filter((entry) => entry.seq > since);
            expect(taken.map((entry) => entry.seq)).toEqual(
              expected.slice(0, Math.max(1, now.limit)).map((entry) => entry.seq),
            );
          }
          expect(everySince(log, 0)).toEqual(model.entries);
          expect(log.keys).toBe(model.entries.filter(({ value }) => value !== undefined).length);
          expect(log.deletions).toBe(model.entries.length - log.keys);
          expect(deletions.count).toBe(log.deletions);
          expect(log.floorSeq).toBe(model.floorSeq);
          expect(log.lastSeq).toBe(model.entries.at(-1)?.seq ?? 0);
          expect(log.bytes).toBe(
            model.entries.reduce((sum, { key, value }) => sum + key.length + (value?.length ?? 0), 0),
          );
        }
        for (const key of keys) {
          const known = model.entries.find((entry) => entry.key === key);
          expect(log.get(key)).toBe(known?.value);
          expect(log.bytesOf(key)).toBe(
            known === undefined ? undefined : key.length + (known.value?.length ?? 0),
          );
        }
      }),
      { numRuns: 400 },
    );
  });

  it('lets a reader at any cursor end with what a reader from the start has', () => {
    const writes = fc.array(
      fc.record({ key: fc.constantFrom(...keys), value: fc.option(fc.constant('1'), { nil: undefined }) }),
      { minLength: 1, maxLength: 60 },
    );
    fc.assert(
      fc.property(writes, fc.nat(60), (all, at) => {
        const log = new StateLog();
        const early = new Map<string, string>();
        const take = ({ key, value }: StateEntry): boolean => {
          if (value === undefined) early.delete(key);
          else early.set(key, value);
          return true;
        };
        all.forEach(({ key, value }, i) => {
          log.apply({ key, value, seq: i + 1 }, 0);
          if (i + 1 === at) log.since(0, take);
        });
        log.since(at, take);
        if (at > all.length || at === 0) return;
        expect(early).toEqual(
          new Map(
            everySince(log, 0).flatMap(({ key, value }) => (value === undefined ? [] : [[key, value]])),
          ),
        );
      }),
    );
  });

  it('does not take a key back that was deleted and forgotten, when the server hands it over again', () => {
    const deletions = new Deletions();
    const log = new StateLog('a', undefined, deletions);
    log.apply({ key: 'a', value: '1', seq: 5 }, 0);
    log.apply({ key: 'a', value: undefined, seq: 6 }, 0);
    forgetDeletions(log, deletions, 1);
    expect(log.apply({ key: 'a', value: '1', seq: 5 }, 2)).toBe(false);
    expect(log.get('a')).toBeUndefined();
    expect(log.apply({ key: 'a', value: '2', seq: 7 }, 2)).toBe(true);
  });
});

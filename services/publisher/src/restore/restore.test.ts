import { describe, expect, it } from 'vitest';
import type { Message } from '../parse/message.ts';
import { parseMessage } from '../parse/parse-message.ts';
import type { AbsentOutcome } from '../send/absent.ts';
import type { RestoreReport } from './restore.ts';
import { restore } from './restore.ts';

function lineOf(key: string, data = '1'): string {
  return `{"lane":"state","channel":"odds","key":"${key}","data":${data}}`;
}

async function* linesOf(texts: readonly (string | undefined)[]) {
  for (const [i, text] of texts.entries())
    yield { number: i + 1, bytes: text === undefined ? undefined : Buffer.from(text) };
}

/** Restores lines into a stream that answers by key. */
function setUp(
  texts: readonly (string | undefined)[],
  answers: Readonly<Record<string, AbsentOutcome>> = {},
) {
  const written: string[] = [];
  const told: RestoreReport[] = [];
  const state = { stopped: false };
  const done = restore({
    lines: linesOf(texts),
    parse: parseMessage,
    submit: async ({ address, data }: Message) => {
      const key = address.lane === 'state' ? address.key : '';
      written.push(`${key}=${Buffer.from(data).toString()}`);
      return {
        outcome: Promise.resolve(answers[key] ?? { kind: 'kept', stream: 'S', seq: 1, duplicate: false }),
      };
    },
    stopped: () => state.stopped,
    progress: (report) => {
      told.push({ ...report });
    },
  });
  return { done, written, told, state };
}

describe('restore', () => {
  it('writes every value unchanged, and counts the keys that the stream already has', async () => {
    const texts = [lineOf('a', '1.0'), '', lineOf('b'), lineOf('c')];
    const { done, written, told } = setUp(texts, { b: { kind: 'present' } });
    expect(await done).toEqual({ written: 2, present: 1 });
    expect(written).toEqual(['a=1.0', 'b=1', 'c=1']);
    expect(told.at(-1)).toEqual({ written: 2, present: 1 });
  });

  it('does nothing if nothing is lost', async () => {
    expect(await setUp([]).done).toEqual({ written: 0, present: 0 });
  });

  it.each<[AbsentOutcome, RegExp]>([
    [{ kind: 'unavailable' }, /^line 2: NATS is away/],
    [{ kind: 'unknown' }, /^line 2: no acknowledgement/],
    [{ kind: 'refused', message: 'maximum bytes exceeded' }, /^line 2: .*maximum bytes exceeded/],
  ])('stops at a key that was not written for certain: %j', async (outcome, words) => {
    const texts = ['a', 'b', 'c', 'd', 'e', 'f'].map((key) => lineOf(key));
    const { done, written } = setUp(texts, { b: outcome });
    await expect(done).rejects.toThrow(words);
    expect(written.length).toBeLessThan(6);
  });

  it.each<[string, string | undefined, RegExp]>([
    ['is no message', '{"key":"x"}', /^line 2: "lane" is missing/],
    ['was cut off', '{"lane":"state","chan', /^line 2: /],
    ['is of another lane', '{"lane":"critical","channel":"odds","data":1}', /only values of the state lane/],
    ['deletes', '{"lane":"state","channel":"odds","key":"x","delete":true}', /only values of the state lane/],
    ['is too long', undefined, /^line 2: it is too long/],
  ])('stops at a line that %s', async (_what, text, words) => {
    const { done, written } = setUp([lineOf('a'), text, lineOf('b')]);
    await expect(done).rejects.toThrow(words);
    expect(written).toEqual(['a=1']);
  });

  it('can be stopped', async () => {
    const { done, written, state } = setUp([lineOf('a'), lineOf('b')]);
    state.stopped = true;
    await done;
    expect(written.length).toBeLessThan(2);
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Message } from '../parse/message.ts';
import { parseTimedMessage } from '../parse/parse-message.ts';
import type { Outcome } from '../send/outcome.ts';
import { UnitCheck } from './check-unit.ts';
import { Pace } from './pace.ts';
import { splitLines } from './read-lines.ts';
import type { ReplayOptions, ReplayReport } from './replay.ts';
import { replay } from './replay.ts';
import { ReplayError } from './replay-error.ts';

const line = (t: number, data = t): string => `{"t":${t},"lane":"critical","channel":"c","data":${data}}`;
const kept: Outcome = { kind: 'kept', stream: 'S', seq: 1, duplicate: false };

/** A replay of a text, in a time that passes only in `sleep`. */
function player(text: string, given: Partial<ReplayOptions> = {}, breaks?: string) {
  const clock = { nowMs: 0 };
  const sent: { readonly atMs: number; readonly message: Message }[] = [];
  const reports: ReplayReport[] = [];
  const warnings: string[] = [];
  const options: ReplayOptions = {
    open: () => ({
      lines: splitLines(
        (async function* () {
          yield Buffer.from(text);
          if (breaks !== undefined) throw new Error(breaks);
        })(),
        200,
      ),
      progress: () => ({ done: 0.5, readBytes: text.length }),
    }),
    parse: (line) => parseTimedMessage(line),
    submit: (message) => {
      sent.push({ atMs: clock.nowMs, message });
      return Promise.resolve({ outcome: Promise.resolve(kept) });
    },
    pace: new Pace({ speed: 1, maxPauseMs: 1_000 }),
    unit: 'ms',
    check: new UnitCheck({ unit: 'ms', stated: true }),
    run: 'r',
    warn: (text) => warnings.push(text),
    skipBad: false,
    loop: false,
    channelPrefix: '',
    sleep: (ms) => {
      clock.nowMs += ms;
      return Promise.resolve();
    },
    monotonicMs: () => clock.nowMs,
    stopped: () => false,
    progress: (report) => reports.push(report),
    ...given,
  };
  return { run: () => replay(options), sent, reports, warnings, clock };
}

describe('replay', () => {
  it('publishes every line when it is due, in order', async () => {
    const { run, sent } = player(`${line(100)}\n${line(350)}\n\n${line(350, 7)}\n`);
    expect(await run()).toMatchObject({ lines: 4, messages: 3, kept: 3, skipped: 0, rounds: 1 });
    expect(sent.map(({ atMs }) => atMs)).toEqual([0, 250, 250]);
    expect(sent.map(({ message }) => Buffer.from(message.data).toString())).toEqual(['100', '350', '7']);
  });

  it('stops at a bad line and names it', async () => {
    const { run, sent } = player(`${line(0)}\n{"t":1}\n${line(2)}\n`);
    await expect(run()).rejects.toThrow(/^line 2: "lane" is missing/);
    expect(sent).toHaveLength(1);
  });

  it('skips bad and overlong lines on request', async () => {
    const { run } = player(`${line(0)}\nnonsense\n"${'x'.repeat(300)}"\n${line(2)}\n`, { skipBad: true });
    expect(await run()).toMatchObject({ kept: 2, skipped: 2 });
  });

  it.each([
    [{ kind: 'unavailable' }, 'NATS is away'],
    [{ kind: 'unknown' }, 'may or may not'],
    [{ kind: 'refused', message: 'full' }, 'NATS refused it: full'],
  ] as const)('stops at the first message that is %j', async (outcome, text) => {
    let count = 0;
    const { run } = player(Array.from({ length: 9 }, (_, i) => line(i)).join('\n'), {
      submit: () => Promise.resolve({ outcome: Promise.resolve(++count === 2 ? outcome : kept) }),
    });
    await expect(run()).rejects.toThrow(`line 2: ${text === 'may or may not' ? '' : text}`);
    expect(count).toBeLessThan(9);
  });

  it('waits for the pending acknowledgements', async () => {
    let acknowledge: (outcome: Outcome) => void = () => undefined;
    const { run, reports } = player(line(0), {
      submit: () =>
        Promise.resolve({
          outcome: new Promise((resolve) => {
            acknowledge = resolve;
          }),
        }),
    });
    const done = run();
    while (reports.length === 0) await Promise.resolve();
    expect(reports.at(-1)).toMatchObject({ messages: 1, kept: 0 });
    acknowledge(kept);
    expect(await done).toMatchObject({ messages: 1, kept: 1 });
  });

  it('repeats until it is stopped, also during a long pause', async () => {
    const { run, sent, clock } = player(`${line(0)}\n${line(600)}`, {
      loop: true,
      stopped: () => clock.nowMs >= 1_500,
    });
    await run();
    expect(sent.map(({ atMs }) => atMs)).toEqual([0, 600, 600, 1_200, 1_200]);
  });

  it('prefixes the channels', async () => {
    const { run, sent } = player(line(0), { channelPrefix: 'test.' });
    await run();
    expect(sent[0]?.message.address.channel).toBe('test.c');
  });

  it('refuses a file without messages instead of repeating it endlessly', async () => {
    await expect(player('\n', { loop: true }).run()).rejects.toThrow('no message');
  });

  it('counts duplicates separately from stored messages', async () => {
    let count = 0;
    const { run } = player(Array.from({ length: 5 }, (_, i) => line(i)).join('\n'), {
      submit: () => {
        count += 1;
        return Promise.resolve({ outcome: Promise.resolve({ ...kept, duplicate: count > 2 }) });
      },
    });
    expect(await run()).toMatchObject({ messages: 5, kept: 2, duplicates: 3 });
  });

  it("makes the ids of each round unique, and keeps the recording's in the first", async () => {
    const text = `{"t":0,"lane":"critical","channel":"c","data":1,"id":"a"}\n${line(0)}`;
    const sent: (string | undefined)[] = [];
    const { run } = player(text, {
      loop: true,
      stopped: () => sent.length >= 6,
      submit: ({ id }) => {
        sent.push(id);
        return Promise.resolve({ outcome: Promise.resolve(kept) });
      },
    });
    await run();
    expect(sent).toEqual(['a', undefined, 'a.r.2', undefined, 'a.r.3', undefined]);
  });

  it('counts only complete rounds', async () => {
    const { run, sent } = player(`${line(0)}\n${line(1)}`, { loop: true, stopped: () => sent.length >= 3 });
    expect(await run()).toMatchObject({ messages: 3, rounds: 1 });
  });

  it('reports the line after which a recording breaks off, and the counts until then', async () => {
    const late = player(`${line(0)}\n${line(1)}\n${line(2)}`, {}, 'it is cut off');
    const error = await late.run().catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(ReplayError);
    expect(error).toMatchObject({
      message: 'after line 2: it is cut off',
      report: { lines: 2, messages: 2, kept: 2 },
    });
  });

  it('waits for pending messages before it fails, and reports the earlier failure', async () => {
    const outcomes: ((outcome: Outcome) => void)[] = [];
    const { run, reports } = player(`${line(0)}\n${line(0)}\nnonsense`, {
      submit: () => Promise.resolve({ outcome: new Promise<Outcome>((resolve) => outcomes.push(resolve)) }),
    });
    const done = run().catch((reason: unknown) => reason);
    while (reports.length < 2) await Promise.resolve();
    outcomes[0]?.({ kind: 'unknown' });
    outcomes[1]?.(kept);
    expect(await done).toMatchObject({
      message: expect.stringMatching(/^line 1: no acknowledgement/),
      report: { messages: 2, kept: 1, unknown: 1 },
    });
  });

  it('counts every message once, whatever its outcome', async () => {
    const outcomes = fc.constantFrom<Outcome>(
      kept,
      { ...kept, duplicate: true },
      { kind: 'sent' },
      { kind: 'unavailable' },
      { kind: 'refused', message: 'full' },
      { kind: 'unknown' },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(outcomes, { minLength: 1, maxLength: 20 }), async (list) => {
        let next = 0;
        const { run } = player(list.map((_, i) => line(i)).join('\n'), {
          submit: () => Promise.resolve({ outcome: Promise.resolve(list[next++] ?? kept) }),
        });
        const report = await run().catch((error: unknown) => {
          if (error instanceof ReplayError) return error.report;
          throw error;
        });
        const { messages, kept: stored, duplicates, sent, notKept, unknown } = report;
        expect(messages).toBe(next);
        expect(stored + duplicates + sent + notKept + unknown).toBe(messages);
      }),
    );
  });

  it('reads times in their unit', async () => {
    const { run, sent } = player(`${line(1.5)}\n${line(2)}\n${line(2.25)}`, { unit: 's' });
    await run();
    expect(sent.map(({ atMs }) => Math.round(atMs))).toEqual([0, 500, 750]);
  });

  it('refuses times that look like another unit before it sends anything', async () => {
    const { run, sent } = player(line(1_732_900_000), {
      check: new UnitCheck({ unit: 'ms', stated: false }),
    });
    await expect(run()).rejects.toThrow(/^line 1: "t" is 1732900000, which looks like seconds .*--unit s/);
    expect(sent).toHaveLength(0);
  });

  it('warns once of times that may be in another unit', async () => {
    const { run, warnings } = player(Array.from({ length: 50 }, (_, i) => line(i * 0.01, i)).join('\n'), {
      check: new UnitCheck({ unit: 'ms', stated: false }),
    });
    await run();
    expect(warnings).toEqual([expect.stringContaining('--unit s')]);
  });

  it('ends without an error if it is stopped while it reads', async () => {
    const { run, sent } = player(`${line(0)}\n${line(1)}`, { stopped: () => sent.length > 0 }, 'closed');
    expect(await run()).toMatchObject({ messages: 1, kept: 1 });
  });
});

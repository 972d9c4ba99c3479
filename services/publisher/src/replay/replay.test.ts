import { describe, expect, it } from 'vitest';
import type { Message } from '../parse/message.ts';
import { parseTimedMessage } from '../parse/parse-message.ts';
import type { Outcome } from '../send/outcome.ts';
import { Pace } from './pace.ts';
import { splitLines } from './read-lines.ts';
import type { ReplayOptions, ReplayReport } from './replay.ts';
import { replay } from './replay.ts';

const line = (t: number, data = t): string => `{"t":${t},"lane":"critical","channel":"c","data":${data}}`;
const kept: Outcome = { kind: 'kept', stream: 'S', seq: 1, duplicate: false };

/** A replay of a text in a time that passes only in `sleep`. */
function player(text: string, given: Partial<ReplayOptions> = {}) {
  const clock = { nowMs: 0 };
  const sent: { readonly atMs: number; readonly message: Message }[] = [];
  const reports: ReplayReport[] = [];
  const options: ReplayOptions = {
    open: () =>
      Promise.resolve({
        lines: splitLines(
          (async function* () {
            yield Buffer.from(text);
          })(),
          200,
        ),
        progress: () => 0.5,
      }),
    parse: parseTimedMessage,
    submit: (message) => {
      sent.push({ atMs: clock.nowMs, message });
      return Promise.resolve({ outcome: Promise.resolve(kept) });
    },
    pace: new Pace({ speed: 1, maxPauseMs: 1_000 }),
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
  return { run: () => replay(options), sent, reports, clock };
}

describe('replay', () => {
  it('publishes every line when it is due, in order', async () => {
    const { run, sent } = player(`${line(100)}\n${line(350)}\n\n${line(350, 7)}\n`);
    expect(await run()).toMatchObject({ lines: 3, kept: 3, skipped: 0, rounds: 1 });
    expect(sent.map(({ atMs }) => atMs)).toEqual([0, 250, 250]);
    expect(sent.map(({ message }) => Buffer.from(message.data).toString())).toEqual(['100', '350', '7']);
  });

  it('stops at a bad line and names it', async () => {
    const { run, sent } = player(`${line(0)}\n{"t":1}\n${line(2)}\n`);
    await expect(run()).rejects.toThrow(/^line 2: "lane" is missing/);
    expect(sent).toHaveLength(1);
  });

  it('goes on behind bad and overlong lines where it is told to', async () => {
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

  it('waits for the acknowledgements that are still to come', async () => {
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
    expect(reports.at(-1)).toMatchObject({ lines: 1, kept: 0 });
    acknowledge(kept);
    expect(await done).toMatchObject({ lines: 1, kept: 1 });
  });

  it('repeats until it is stopped, also during a long pause', async () => {
    const { run, sent, clock } = player(`${line(0)}\n${line(600)}`, {
      loop: true,
      stopped: () => clock.nowMs >= 1_500,
    });
    await run();
    expect(sent.map(({ atMs }) => atMs)).toEqual([0, 600, 600, 1_200, 1_200]);
  });

  it('puts a prefix before the channels', async () => {
    const { run, sent } = player(line(0), { channelPrefix: 'test.' });
    await run();
    expect(sent[0]?.message.address.channel).toBe('test.c');
  });

  it('refuses a file without a message, instead of repeating it for ever', async () => {
    await expect(player('\n', { loop: true }).run()).rejects.toThrow('no message');
  });
});

// `weir-publish replay`: a recording at its own rhythm, every message acknowledged, progress on stderr.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Parsed, TimedMessage } from '../parse/parse-message.ts';
import type { RecordedLine } from '../replay/recording.ts';
import type { Sender } from '../send/sender.ts';

export interface ReplayOptions {
  readonly lines: AsyncIterable<RecordedLine>;
  readonly parse: (line: Buffer) => Parsed<TimedMessage>;
  readonly pace: (atMs: number) => number;
  readonly sender: Sender;
  readonly skipBad: boolean;
  readonly tell: (text: string) => void;
}

const TELL_EVERY_MS = 1_000;
/** Waits shorter than this are collected, since a timer is no finer. */
const SHORTEST_WAIT_MS = 2;

/** Replays; resolves with what was kept. Throws an `Error` in words at the first line that is bad or not kept. */
export async function replay(
  options: ReplayOptions,
): Promise<{ readonly kept: number; readonly skipped: number }> {
  const counts = { kept: 0, skipped: 0 };
  let failure: string | undefined;
  let waitMs = 0;
  let toldMs = performance.now();
  const last: Promise<void>[] = [];
  for await (const { number, text, progress } of options.lines) {
    if (failure !== undefined) break;
    const parsed = options.parse(Buffer.from(text));
    if ('problem' in parsed) {
      if (!options.skipBad)
        throw new Error(`line ${number}: ${parsed.problem.message} (--skip-bad goes on without it)`);
      counts.skipped++;
      continue;
    }
    waitMs += options.pace(parsed.value.atMs);
    if (waitMs >= SHORTEST_WAIT_MS) {
      await sleep(waitMs);
      waitMs = 0;
    }
    const { outcome } = await options.sender.submit(parsed.value.message);
    const done = outcome.then(({ kind }) => {
      if (kind === 'kept' || kind === 'sent') counts.kept++;
      else failure ??= `line ${number}: not kept (${kind})`;
    });
    last.push(done);
    if (last.length > 1_024) await last.shift();
    if (performance.now() - toldMs > TELL_EVERY_MS) {
      toldMs = performance.now();
      options.tell(`${Math.floor(progress * 100)} %, line ${number}, ${counts.kept} kept`);
    }
  }
  await Promise.all(last);
  if (failure !== undefined) throw new Error(failure);
  return counts;
}

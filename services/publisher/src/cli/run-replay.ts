// The command `replay`: its input, its progress, its report and its exit code.
import type { Input } from '../replay/open-input.ts';
import { openInput } from '../replay/open-input.ts';
import type { ReplayReport } from '../replay/replay.ts';
import { ReplayError } from '../replay/replay-error.ts';
import { type Publishing, Rehearsal, rehearse } from '../weir-publish.ts';
import { progressText, summaryText } from './progress.ts';
import type { ReplayCommand } from './replay-arguments.ts';
import { Signals } from './signals.ts';
import { print, progressEveryMs, tell, tellProgress } from './terminal.ts';
import { UsageError } from './usage-error.ts';

/** Opens the recording; reports its problems before any connection. */
export function openRecording({ path, loop }: ReplayCommand): Input {
  const input = openInput(path);
  if (!loop || input.repeatable) return input;
  input.close();
  throw new UsageError(`--loop needs a file: what comes by ${input.name} can be read only once`);
}

/** Plays the recording, reports the outcome, and returns the exit code. */
export async function runReplay(
  publishing: Publishing,
  command: ReplayCommand,
  input: Input,
): Promise<number> {
  const startMs = performance.now();
  const signals = new Signals();
  let toldMs = startMs;
  const elapsedMs = (): number => performance.now() - startMs;
  const finish = (report: ReplayReport): void => {
    tellProgress('');
    tell(summaryText({ ...report, elapsedMs: elapsedMs() }));
  };
  try {
    const report = await publishing.replay({
      ...command,
      input,
      stopping: signals.signal,
      warn: (text) => {
        tellProgress('');
        tell(`weir-publish: ${text}`);
      },
      progress: (counts) => {
        const nowMs = performance.now();
        if (nowMs - toldMs < progressEveryMs) return;
        toldMs = nowMs;
        tellProgress(progressText({ ...counts, elapsedMs: elapsedMs() }));
      },
    });
    finish(report);
    return signals.exitCode ?? exitCodeOf(report);
  } catch (error) {
    if (!(error instanceof ReplayError)) throw error;
    tellProgress('');
    tell(`weir-publish: ${error.message}`);
    finish(error.report);
    return 1;
  }
}

/** Prints what a replay would publish: the first messages and the counts. Returns the exit code. */
export async function runRehearsal(command: ReplayCommand, input: Input): Promise<number> {
  const signals = new Signals();
  const seen = new Rehearsal();
  try {
    const report = await rehearse(
      {
        ...command,
        input,
        stopping: signals.signal,
        warn: (text) => tell(`weir-publish: ${text}`),
        progress: () => undefined,
      },
      seen,
    );
    for (const line of seen.first) print(line);
    tell(seen.text(report.skipped));
    return signals.exitCode ?? 0;
  } catch (error) {
    if (!(error instanceof ReplayError)) throw error;
    for (const line of seen.first) print(line);
    tell(`weir-publish: ${error.message}`);
    return 1;
  }
}

/** Exit code of a replay without failures; 3 if all messages were duplicates, so that scripts can tell. */
export function exitCodeOf({ kept, sent, duplicates }: ReplayReport): number {
  return duplicates > 0 && kept === 0 && sent === 0 ? 3 : 0;
}

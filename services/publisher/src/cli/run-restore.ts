// The command `restore`: its progress, its result and its exit code.
import type { RestoreReport } from '../restore/restore.ts';
import type { Publishing } from '../weir-publish.ts';
import { Signals } from './signals.ts';
import { progressEveryMs, tell, tellProgress } from './terminal.ts';

/** Writes lost state back from an admin URL, a file or `-`; returns the exit code. */
export async function runRestore(publishing: Publishing, source: string): Promise<number> {
  const signals = new Signals();
  let toldMs = performance.now();
  let counts: RestoreReport = { written: 0, present: 0 };
  try {
    counts = await publishing.restore({
      source,
      stopping: signals.signal,
      progress: (soFar) => {
        counts = { ...soFar };
        const nowMs = performance.now();
        if (nowMs - toldMs < progressEveryMs) return;
        toldMs = nowMs;
        tellProgress(restoreText(counts));
      },
    });
  } catch (error) {
    // What was written before stays written: the caller must know.
    tellProgress('');
    tell(`weir-publish: ${error instanceof Error ? error.message : String(error)}`);
    if (counts.written + counts.present > 0) tell(`before that: ${restoreText(counts)}`);
    return 1;
  }
  tellProgress('');
  tell(restoreText(counts));
  return signals.exitCode ?? 0;
}

function restoreText({ written, present }: RestoreReport): string {
  if (written + present === 0) return 'there is nothing to restore';
  return `${written.toLocaleString('en')} ${written === 1 ? 'key' : 'keys'} written back, ${present.toLocaleString('en')} left as the stream has them`;
}

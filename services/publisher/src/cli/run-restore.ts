// The command `restore`: its progress, its result and its exit code.
import type { RestoreReport } from '../restore/restore.ts';
import type { Publishing } from '../weir-publish.ts';
import { Signals } from './signals.ts';
import { progressEveryMs, tell, tellProgress } from './terminal.ts';

/** Writes lost state back from an admin URL, a file or `-`; returns the exit code. */
export async function runRestore(publishing: Publishing, source: string): Promise<number> {
  const signals = new Signals();
  let toldMs = performance.now();
  const report = await publishing.restore({
    source,
    stopping: signals.signal,
    progress: (counts) => {
      const nowMs = performance.now();
      if (nowMs - toldMs < progressEveryMs) return;
      toldMs = nowMs;
      tellProgress(restoreText(counts));
    },
  });
  tellProgress('');
  tell(restoreText(report));
  return signals.exitCode ?? 0;
}

function restoreText({ written, present }: RestoreReport): string {
  if (written + present === 0) return 'there is nothing to restore';
  return `${written.toLocaleString('en')} keys written back, ${present.toLocaleString('en')} left as the stream has them`;
}

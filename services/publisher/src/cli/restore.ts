// The restore command: what it says while it runs and at its end.
import type { RestoreReport } from '../restore/restore.ts';
import type { Publishing } from '../weir-publish.ts';

export interface RestoreRun {
  readonly source: string;
  readonly stopped: () => boolean;
  readonly tell: (line: string) => void;
  readonly everyMs: number;
}

/** Runs it and says what was done; resolves with the exit code. */
export async function runRestore(publishing: Publishing, run: RestoreRun): Promise<number> {
  let toldMs = performance.now();
  const report = await publishing.restore({
    source: run.source,
    stopped: run.stopped,
    progress: (counts) => {
      const nowMs = performance.now();
      if (nowMs - toldMs < run.everyMs) return;
      toldMs = nowMs;
      run.tell(reportText(counts));
    },
  });
  run.tell(reportText(report));
  return run.stopped() ? 130 : 0;
}

function reportText({ written, present }: RestoreReport): string {
  if (written + present === 0) return 'there is nothing to restore';
  return `${written.toLocaleString('en')} keys written back, ${present.toLocaleString('en')} left as the stream has them`;
}

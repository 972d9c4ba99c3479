// Runs the actions of a sequence on a new cluster, and returns the faults.
import { elapsed } from '../../harness/small-cluster.ts';
import { quietPoint } from './quiet-point.ts';
import type { Action } from './sequence.ts';
import { Stage } from './stage.ts';

export interface Outcome {
  readonly faults: readonly string[];
  /** Number of actions that were run. */
  readonly done: number;
  readonly clients: number;
}

export async function runSequence(actions: readonly Action[]): Promise<Outcome> {
  const stage = await Stage.open();
  let done = 0;
  let faults: readonly string[] = [];
  try {
    for (const action of actions) {
      await elapsed(action.afterMs);
      stage.act(action);
      done++;
      faults = action.what === 'quiet' ? await quietPoint(stage) : stage.faults;
      if (faults.length > 0) break;
    }
  } catch (error) {
    faults = [error instanceof Error ? (error.stack ?? error.message) : String(error)];
  }
  // The final check of the cluster mostly repeats faults found before.
  const atEnd = await stage.close().then(
    () => [],
    (error: Error) => [error.message],
  );
  faults = faults.length > 0 ? faults : atEnd;
  return { faults, done, clients: stage.connected };
}

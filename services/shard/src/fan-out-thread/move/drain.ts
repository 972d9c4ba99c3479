// Empties a thread before its shard stops: it asks clients to move at a pace that causes no stampede, waits for them to
// go, then closes the rest with 4012. The pace may change meanwhile, and gives way to the time by which all must have
// been asked. Make-before-break is the client's part. Critical messages lost: 0.

import { drawn } from './drawn.ts';

/** Pace of a drain. */
export interface DrainLimits {
  /** Time that a client has to be gone after it was asked to move. */
  readonly withinMs: number;
  /** Most moves a second at the moment; may be less than one. */
  readonly movesPerSecond: () => number;
  /** Time over which the moves are spread if the pace allows it. */
  readonly windowMs: number;
  /** Time by which all clients must have been asked, whatever the pace: a client that is cut off is worse off. */
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
/** Added to a sum of tenths, which is not exact. */
const ROUNDING = 1e-9;

/** Resolves when no client is left, or when the time to wait for clients is over. */
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
  // Long enough for the clients to answer the Close, or for the shard's FIN.
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
    // A client that cannot be asked is closed at the end, like the clients that do not go.
    await Promise.allSettled(all.slice(asked, asked + count).map((one) => move(one)));
    asked += count;
    if (asked < all.length) await sleep(STEP_MS);
  }
}

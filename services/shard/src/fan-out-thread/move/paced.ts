// Asks clients in steps, so that those that move do not stampede to other shards. It knows no reason to move.

/** Clients per step, and the time between two steps. */
export interface Pace {
  readonly perStep: number;
  readonly stepMs: number;
}

/** Resolves when all have been asked. A client that cannot be asked is skipped. */
export async function paced<C>(
  all: readonly C[],
  { perStep, stepMs }: Pace,
  by: { readonly ask: (one: C) => Promise<void>; readonly sleep: (ms: number) => Promise<void> },
): Promise<void> {
  for (let i = 0; i < all.length; i += perStep) {
    await Promise.allSettled(all.slice(i, i + perStep).map((one) => by.ask(one)));
    if (i + perStep < all.length) await by.sleep(stepMs);
  }
}

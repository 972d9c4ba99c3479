// One client after another in steps, so that those who are sent away do not stampede elsewhere. It knows no reason.

/** So many at once, and the time until the next ones. */
export interface Pace {
  readonly perStep: number;
  readonly stepMs: number;
}

/** Resolves when all have been asked. Who cannot be asked is passed over. */
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

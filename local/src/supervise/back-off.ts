// Owns how long a service that crashed waits before it is started again. Pure.

const FIRST_MS = 200;
const LONGEST_MS = 10_000;
/** A service that has been up for this long starts again from the first wait. */
export const STABLE_MS = 10_000;

/** The wait after `crashes` crashes in a row (1, 2, …): doubling, at most the longest, half of it by chance. */
export function backOffMs(crashes: number, random: () => number): number {
  const full = Math.min(LONGEST_MS, FIRST_MS * 2 ** (Math.max(1, crashes) - 1));
  return Math.round(full / 2 + (full / 2) * random());
}

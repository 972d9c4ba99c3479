// Computes the wait before a crashed service is restarted. Pure.

const FIRST_MS = 200;
const LONGEST_MS = 10_000;
/** After this uptime, the next crash starts with the first wait again. */
export const STABLE_MS = 10_000;

/** The wait after `crashes` crashes in a row (1, 2, …): it doubles up to the maximum, and half of it is random. */
export function backOffMs(crashes: number, random: () => number): number {
  const full = Math.min(LONGEST_MS, FIRST_MS * 2 ** (Math.max(1, crashes) - 1));
  return Math.round(full / 2 + (full / 2) * random());
}

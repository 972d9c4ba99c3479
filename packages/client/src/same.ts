// Whether two JSON values are equal, so that a value sent again after a resume is not announced again.

/** Deeper than the 64 levels that Weir broadcasts nothing is compared: it counts as different. */
const DEPTH = 64;

export function same(a: unknown, b: unknown, depth: number = DEPTH): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null || depth === 0) return false;
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  // Entries are own properties only: a key named `__proto__` is an ordinary one.
  const ours = Object.entries(a);
  const theirs = new Map<string, unknown>(Object.entries(b));
  return (
    ours.length === theirs.size &&
    ours.every(([key, value]) => theirs.has(key) && same(value, theirs.get(key), depth - 1))
  );
}

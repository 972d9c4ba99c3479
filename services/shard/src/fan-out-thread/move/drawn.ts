// Draws clients at random, so that the oldest connections are not always moved first. Pure.

/** Returns `count` items in random order, or all if there are fewer. */
export function drawn<T extends NonNullable<unknown>>(
  items: readonly T[],
  count: number,
  random: () => number,
): readonly T[] {
  const urn = [...items];
  const taken: T[] = [];
  while (taken.length < count) {
    const last = urn.pop();
    if (last === undefined) break;
    const place = Math.floor(random() * (urn.length + 1));
    taken.push(urn[place] ?? last);
    if (place < urn.length) urn[place] = last;
  }
  return taken;
}

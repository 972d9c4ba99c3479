// Draws clients by lot: who came first must not always be sent away first. Pure.

/** `count` of them in random order, or all where there are not so many. */
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

// Divides moves among threads by their clients. Pure.

/** A whole share of `moves` for each thread, in proportion, none larger than its clients; together all, if they suffice. */
export function divide(moves: number, has: readonly number[]): readonly number[] {
  const total = has.reduce((sum, one) => sum + one, 0);
  const most = Math.min(moves, total);
  let dividedUpTo = 0;
  let hasUpTo = 0;
  return has.map((one) => {
    hasUpTo += one;
    const upTo = total === 0 ? 0 : Math.floor((most * hasUpTo) / total);
    const share = upTo - dividedUpTo;
    dividedUpTo = upTo;
    return share;
  });
}

// Finds the last message that a stream still keeps up to a sequence. NATS answers only for the first one at or after a
// sequence, so the search doubles its steps, then halves them: requests grow with the logarithm of the hole.
import type { Identity } from './history.ts';

/** The last message up to `seq`; undefined if the stream keeps none. `from` finds the first at or after a sequence. */
export async function lastKept(
  seq: number,
  firstSeq: number,
  from: (seq: number) => Promise<Identity | undefined>,
): Promise<Identity | undefined> {
  const upTo = async (place: number): Promise<Identity | undefined> => {
    const found = await from(place);
    return found !== undefined && found.seq <= seq ? found : undefined;
  };
  const first = Math.max(1, firstSeq);
  let emptyFrom = seq + 1;
  let best: Identity | undefined;
  for (let step = 0; best === undefined; step = step * 2 + 1) {
    if (emptyFrom <= first) return undefined;
    const place = Math.max(first, seq - step);
    best = await upTo(place);
    if (best === undefined) emptyFrom = place;
  }
  while (best.seq + 1 < emptyFrom) {
    const middle = Math.floor((best.seq + 1 + emptyFrom) / 2);
    const found: Identity | undefined = await upTo(middle);
    if (found === undefined) emptyFrom = middle;
    else best = found;
  }
  return best;
}

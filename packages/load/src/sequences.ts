// How far one client has come in the numbered critical messages of each publisher. Bounded for any number of publishers.
import type { Place } from './stamps.ts';

/** More publishers at once than a test has; of further ones the least recent is forgotten. */
const MAX_RUNS = 16;

export class Sequences {
  readonly #places = new Map<string, Map<string, Place>>();

  /** Takes the next message: how many are missing before it, or that it came already. */
  next(channel: string, place: Place): number | 'again' {
    const runs = this.#places.get(channel) ?? new Map<string, Place>();
    const last = runs.get(place.run);
    if (last !== undefined && last.series === place.series && place.n <= last.n) return 'again';
    // A message without an answer that was kept after all, and late.
    if (last !== undefined && place.series < last.series) return 0;
    runs.delete(place.run);
    const [oldest] = runs.keys();
    if (oldest !== undefined && runs.size >= MAX_RUNS) runs.delete(oldest);
    runs.set(place.run, place);
    this.#places.set(channel, runs);
    return last === undefined || last.series !== place.series ? 0 : place.n - last.n - 1;
  }

  /** What follows in this channel may begin anywhere. */
  forget(channel: string): void {
    this.#places.delete(channel);
  }
}

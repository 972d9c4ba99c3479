// The newest events, oldest first. Bounded.
import type { Level, TimelineEvent } from './view.ts';

const maxEvents = 300;

export class Timeline {
  readonly #events: TimelineEvent[] = [];
  #n = 0;

  add(event: {
    readonly atMs: number;
    readonly level: Level;
    readonly about: string;
    readonly text: string;
  }): void {
    this.#n += 1;
    if (this.#events.length >= maxEvents) this.#events.shift();
    this.#events.push({ n: this.#n, ...event });
  }

  newest(most: number): readonly TimelineEvent[] {
    return this.#events.slice(-most);
  }
}

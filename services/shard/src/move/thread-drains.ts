// Has every thread move its clients away, each at its share of the shard's pace, and waits until all have.
import type { Thread } from '../hand-over/threads.ts';

export interface Pace {
  /** Of the whole shard. */
  readonly movesPerSecond: number;
  readonly connections: (thread: Thread) => number;
}

export class ThreadDrains {
  #drained: (thread: Thread) => void = () => undefined;

  async run(threads: Iterable<Thread>, { movesPerSecond, connections }: Pace): Promise<void> {
    const waiting = new Set(threads);
    const own = new Map([...waiting].map((thread) => [thread, connections(thread)]));
    const total = Math.max(
      1,
      [...own.values()].reduce((sum, each) => sum + each, 0),
    );
    await new Promise<void>((resolve) => {
      this.#drained = (thread) => {
        waiting.delete(thread);
        if ([...waiting].every(({ alive }) => !alive)) resolve();
      };
      for (const [thread, clients] of own) {
        thread.post({ type: 'drain', movesPerSecond: (movesPerSecond * Math.max(clients, 1)) / total });
        void thread.ended().then(() => this.#drained(thread));
      }
    });
  }

  /** A thread says that it has no client left. */
  drained(thread: Thread): void {
    this.#drained(thread);
  }
}

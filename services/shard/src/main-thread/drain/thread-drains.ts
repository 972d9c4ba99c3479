// Makes every thread move its clients away, each at its part of the shard's share of the pool's pace, and waits until all
// threads have. When the share changes, it tells the threads.
import type { Thread } from '../hand-over/threads.ts';
import type { SharedPaceOptions } from './shared-pace.ts';
import { SharedPace } from './shared-pace.ts';

export interface DrainOrder {
  /** Time by which every client must have been asked. */
  readonly movesMs: number;
  readonly connections: (thread: Thread) => number;
}

export class ThreadDrains {
  readonly pace: SharedPace;
  #drained: (thread: Thread) => void = () => undefined;

  constructor(options: SharedPaceOptions) {
    this.pace = new SharedPace(options);
  }

  async run(threads: Iterable<Thread>, { movesMs, connections }: DrainOrder): Promise<void> {
    const { pace } = this;
    const waiting = new Set(threads);
    const own = new Map([...waiting].map((thread) => [thread, Math.max(1, connections(thread))]));
    const total = [...own.values()].reduce((sum, each) => sum + each, 0);
    const paceOf = (clients: number): number => (pace.movesPerSecond * clients) / Math.max(1, total);
    pace.onChange = () => {
      for (const [thread, clients] of own)
        if (waiting.has(thread)) thread.post({ type: 'pace', movesPerSecond: paceOf(clients) });
    };
    await new Promise<void>((resolve) => {
      this.#drained = (thread) => {
        waiting.delete(thread);
        if ([...waiting].every(({ alive }) => !alive)) resolve();
      };
      for (const [thread, clients] of own) {
        thread.post({ type: 'drain', movesPerSecond: paceOf(clients), movesMs });
        void thread.ended().then(() => this.#drained(thread));
      }
    });
  }

  /** A thread says that it has no client left. */
  drained(thread: Thread): void {
    this.#drained(thread);
  }
}

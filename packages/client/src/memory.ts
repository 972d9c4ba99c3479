// Where a page has got to, in a storage that outlives it: the position, and the last critical id of each channel. A
// storage that fails costs the resume, never the connection.
import type { Feed } from './feed.ts';
import type { ResumeStorage } from './public.ts';

export interface Saved {
  readonly position: string;
  readonly ids: Readonly<Record<string, number>>;
}

/** No position is longer, and no router or shard takes any URL. */
const MOST_CHARS = 720;

export class Memory {
  readonly #storage: ResumeStorage;
  readonly #key: string;
  #saved = '';

  constructor(storage: ResumeStorage, key: string) {
    this.#storage = storage;
    this.#key = key;
  }

  /** What was saved last; nothing where that cannot be read. */
  async load(): Promise<Saved | undefined> {
    try {
      // What has no position throws; what else is odd leads to no wrong place, or is looked at where it is used.
      const { position, ids }: Saved = JSON.parse((await this.#storage.getItem(this.#key)) ?? 'null');
      if (position.length <= MOST_CHARS) return { position, ids: Object(ids) };
    } catch {
      // Not ours, or forbidden.
    }
    return undefined;
  }

  async save(position: string | undefined, feeds: Iterable<Feed>): Promise<void> {
    if (position === undefined) return;
    const ids = Object.fromEntries([...feeds].map(({ name, lastId }) => [name, lastId]));
    const text = JSON.stringify({ position, ids });
    // State alone changes neither, however often it comes.
    if (text === this.#saved) return;
    try {
      await this.#storage.setItem(this.#key, text);
      this.#saved = text;
    } catch {
      // Full, or forbidden.
    }
  }
}

// Frames of a channel's state, remembered within a tick for all clients and threads that need the same. A part is used
// again only while a new one would be the same, byte for byte: an older one would show a client older values than it has.
// Bounded by bytes; a part that does not fit is made again.
import type { StateLog } from '../lanes/state-log.ts';

/** Frames of the entries after `sinceSeq` up to `toSeq`; up to the newest entry where `toSeq` is infinite. */
export interface Part {
  readonly bytes: Buffer;
  readonly sinceSeq: number;
  readonly toSeq: number;
}

interface Known<T> {
  readonly part: T;
  readonly log: StateLog;
  /** The newest entry of the log when the part was last found to hold. */
  lastSeq: number;
  /** How many of the log's moved keys the part has been compared with. */
  compared: number;
}

export class StateCache<T extends Part> {
  readonly #maxBytes: number;
  readonly #known = new Map<string, Known<T>>();
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** The part with this key; undefined if it no longer holds. */
  get(key: string, log: StateLog): T | undefined {
    const known = this.#known.get(key);
    if (known === undefined) return undefined;
    if (holds(known, log)) return known.part;
    this.#known.delete(key);
    this.#bytes -= sizeOf(key, known.part);
    return undefined;
  }

  add(key: string, log: StateLog, part: T): T {
    const size = sizeOf(key, part);
    if (this.#bytes + size > this.#maxBytes) return part;
    this.#known.set(key, { part, log, lastSeq: log.lastSeq, compared: log.moved.length });
    this.#bytes += size;
    return part;
  }

  clear(): void {
    this.#known.clear();
    this.#bytes = 0;
  }
}

/** Hot keys stand at the end of a log, so most parts of a large one hold however much changes. */
function holds(known: Known<Part>, log: StateLog): boolean {
  const { part } = known;
  if (known.log !== log) return false;
  if (known.lastSeq === log.lastSeq) return true;
  if (part.toSeq === Number.POSITIVE_INFINITY) return false;
  const { moved } = log;
  for (; known.compared < moved.length; known.compared++) {
    const seq = moved[known.compared] ?? 0;
    if (seq > part.sinceSeq && seq <= part.toSeq) return false;
  }
  known.lastSeq = log.lastSeq;
  return true;
}

function sizeOf(key: string, { bytes }: Part): number {
  return bytes.length + key.length;
}

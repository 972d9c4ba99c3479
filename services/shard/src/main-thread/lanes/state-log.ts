// The state lane of one channel: every key's latest value, ordered by sequence. A client is a cursor into it.
// It keeps no queue for a client, and it never looks inside a value.
//
//      oldest                                             newest
//   first ─▶ [k3 seq 7] ⇄ [k9 seq 12, deleted] ⇄ [k1 seq 31] ◀─ last
//
// Setting a key unlinks its entry and appends it anew, so "everything since S" is a suffix of the list.
import type { Deletion } from './deletions.ts';
import { Deletions } from './deletions.ts';

/** One key's latest value; `value` is the publisher's JSON as latin1 text (one char = one byte), or a deletion. */
export interface StateEntry {
  readonly key: string;
  readonly value: string | undefined;
  readonly seq: number;
  readonly timeMs: number;
}

/** What sets or deletes a key. */
export type StateChange = Pick<StateEntry, 'key' | 'value' | 'seq'>;

/** An entry in its place. There is one a key, which moves when the key is set: readers must not keep it. */
interface Node {
  readonly key: string;
  value: string | undefined;
  seq: number;
  timeMs: number;
  older: Node | undefined;
  newer: Node | undefined;
  /** Set if the entry is a deletion. */
  deletion: Deletion | undefined;
}

export class StateLog {
  readonly channel: string;
  readonly #nodes = new Map<string, Node>();
  /** The deletions of all channels of the lane. */
  readonly #deletions: Deletions;
  #deleted = 0;
  #first: Node | undefined;
  #last: Node | undefined;
  #bytes = 0;
  #floorSeq: number;
  #forgottenSeq: number;
  #moved: number[] = [];

  /** `before`: what was known of the channel without entries. */
  constructor(
    channel = '',
    before: Pick<StateLog, 'floorSeq' | 'forgottenSeq'> = { floorSeq: 0, forgottenSeq: 0 },
    deletions: Deletions = new Deletions(),
  ) {
    this.channel = channel;
    this.#floorSeq = before.floorSeq;
    this.#forgottenSeq = before.forgottenSeq;
    this.#deletions = deletions;
  }

  /** Keys with a value. */
  get keys(): number {
    return this.#nodes.size - this.#deleted;
  }

  /** Deletions that are still remembered. */
  get deletions(): number {
    return this.#deleted;
  }

  /** Bytes of keys and values, without the cost of the structure itself. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Sequence of the newest entry; 0 if there is none. */
  get lastSeq(): number {
    return this.#last?.seq ?? 0;
  }

  /** A cursor below this sequence may have missed a deletion that is forgotten: it needs a snapshot. */
  get floorSeq(): number {
    return this.#floorSeq;
  }

  /**
   * The newest deletion that was here and is forgotten. The run of a tick is made when the first thread asks for it, which
   * may be later: a client below this sequence gets a snapshot instead.
   */
  get forgottenSeq(): number {
    return this.#forgottenSeq;
  }

  /** Former sequences of the keys that changed again since `forgetMoved`, in the order of their changes. */
  get moved(): readonly number[] {
    return this.#moved;
  }

  forgetMoved(): void {
    if (this.#moved.length > 0) this.#moved = [];
  }

  /** The value of a key; undefined if it is deleted or was never set. */
  get(key: string): string | undefined {
    return this.#nodes.get(key)?.value;
  }

  /** What the log has of a key; undefined if the key was never set, or its deletion is forgotten. */
  has(key: string): 'value' | 'deletion' | undefined {
    const node = this.#nodes.get(key);
    if (node === undefined) return undefined;
    return node.value === undefined ? 'deletion' : 'value';
  }

  /** Keys and deletions. */
  get entries(): number {
    return this.#nodes.size;
  }

  /** Bytes of a key and its value or deletion; undefined if the key is not here. */
  bytesOf(key: string): number | undefined {
    const node = this.#nodes.get(key);
    return node === undefined ? undefined : sizeOf(node);
  }

  /** Whether a message at `seq` is newer than everything that the log has or has forgotten. */
  isNews(seq: number): boolean {
    return seq > this.lastSeq && seq > this.#floorSeq;
  }

  /**
   * Sets a key, or deletes it where `value` is undefined. An entry that is not newer than everything that the log has
   * or has forgotten is ignored (a server may hand over a key twice). Returns whether it was taken.
   */
  apply({ key, value, seq }: StateChange, timeMs: number): boolean {
    if (!this.isNews(seq)) return false;
    let node = this.#nodes.get(key);
    if (node === undefined) {
      node = { key, value, seq, timeMs, older: undefined, newer: undefined, deletion: undefined };
      this.#nodes.set(key, node);
    } else {
      this.#unlink(node);
      this.#moved.push(node.seq);
      node.value = value;
      node.seq = seq;
      node.timeMs = timeMs;
    }
    this.#append(node);
    return true;
  }

  /**
   * Entries after `seq`, oldest first, deletions included, until `take` returns false. A snapshot is everything
   * since 0. An entry is good only until `take` returns.
   */
  since(seq: number, take: (entry: StateEntry) => boolean): void {
    let node = this.#after(seq);
    while (node !== undefined && take(node)) node = node.newer;
  }

  /** Forgets a deletion and raises the floor to it. */
  forget({ key, seq }: Deletion): void {
    const node = this.#nodes.get(key);
    if (node === undefined) return;
    this.raiseFloor(seq);
    this.#forgottenSeq = Math.max(this.#forgottenSeq, seq);
    this.#unlink(node);
    this.#nodes.delete(key);
  }

  /** Takes over what is known of a channel that has no entries any more. */
  outlive({ floorSeq, forgottenSeq }: StateLog): void {
    this.raiseFloor(floorSeq);
    this.#forgottenSeq = Math.max(this.#forgottenSeq, forgottenSeq);
  }

  /** Raises the floor: a deletion up to `seq` is not remembered. */
  raiseFloor(seq: number): void {
    this.#floorSeq = Math.max(this.#floorSeq, seq);
  }

  /** The oldest entry after `seq`, walked to from the nearer end. */
  #after(seq: number): Node | undefined {
    const first = this.#first;
    const last = this.#last;
    if (first === undefined || last === undefined || seq >= last.seq) return undefined;
    if (seq < first.seq) return first;
    if (seq - first.seq < last.seq - seq) {
      let node: Node | undefined = first;
      while (node !== undefined && node.seq <= seq) node = node.newer;
      return node;
    }
    let node = last;
    while (node.older !== undefined && node.older.seq > seq) node = node.older;
    return node;
  }

  #append(node: Node): void {
    node.older = this.#last;
    node.newer = undefined;
    if (this.#last === undefined) this.#first = node;
    else this.#last.newer = node;
    this.#last = node;
    this.#bytes += sizeOf(node);
    if (node.value !== undefined) return;
    node.deletion = this.#deletions.add({ log: this, key: node.key, seq: node.seq, timeMs: node.timeMs });
    this.#deleted++;
  }

  #unlink(node: Node): void {
    if (node.older === undefined) this.#first = node.newer;
    else node.older.newer = node.newer;
    if (node.newer === undefined) this.#last = node.older;
    else node.newer.older = node.older;
    this.#bytes -= sizeOf(node);
    if (node.deletion === undefined) return;
    this.#deletions.remove(node.deletion);
    node.deletion = undefined;
    this.#deleted--;
  }
}

function sizeOf({ key, value }: StateEntry): number {
  return key.length + (value?.length ?? 0);
}

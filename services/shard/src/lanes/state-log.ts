// The state lane of one channel: every key's latest value, ordered by sequence. A client is a cursor into it.
// It never queues anything for anybody, and it never looks inside a value.
//
//      oldest                                             newest
//   first ─▶ [k3 seq 7] ⇄ [k9 seq 12, deleted] ⇄ [k1 seq 31] ◀─ last
//
// Setting a key unlinks its entry and appends it anew, so "everything since S" is a suffix of the list.

/** One key's latest value; `value` is the publisher's JSON as latin1 text (one char = one byte), or a deletion. */
export interface StateEntry {
  readonly key: string;
  readonly value: string | undefined;
  readonly seq: number;
  readonly timeMs: number;
}

/** An entry in its place. There is one a key, which moves when the key is set: readers must not keep it. */
interface Node {
  readonly key: string;
  value: string | undefined;
  seq: number;
  timeMs: number;
  older: Node | undefined;
  newer: Node | undefined;
}

export class StateLog {
  readonly #nodes = new Map<string, Node>();
  /** The deletions among the nodes, oldest first: what is forgotten is found without a walk over all keys. */
  readonly #deleted = new Map<string, Node>();
  #first: Node | undefined;
  #last: Node | undefined;
  #bytes = 0;
  #floorSeq: number;

  /** `floorSeq`: what happened up to there is not known here. */
  constructor(floorSeq = 0) {
    this.#floorSeq = floorSeq;
  }

  /** Keys with a value. */
  get keys(): number {
    return this.#nodes.size - this.#deleted.size;
  }

  /** Deletions that are still remembered. */
  get deletions(): number {
    return this.#deleted.size;
  }

  /** Bytes of keys and values, without the cost of the structure itself. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Sequence of the newest entry; 0 where there is none. */
  get lastSeq(): number {
    return this.#last?.seq ?? 0;
  }

  /** A cursor below this sequence may have missed a deletion that is forgotten: it needs a snapshot. */
  get floorSeq(): number {
    return this.#floorSeq;
  }

  /** The value of a key; nothing where it is deleted or was never set. */
  get(key: string): string | undefined {
    return this.#nodes.get(key)?.value;
  }

  /** Keys and deletions. */
  get entries(): number {
    return this.#nodes.size;
  }

  /** Bytes of a key and its value or deletion; nothing where the key is not here. */
  bytesOf(key: string): number | undefined {
    const node = this.#nodes.get(key);
    return node === undefined ? undefined : sizeOf(node);
  }

  /**
   * Sets a key, or deletes it where `value` is undefined. An entry that is not newer than everything that the log has
   * or has forgotten is ignored (a server may hand over a key twice). Returns whether it was taken.
   */
  apply({ key, value, seq, timeMs }: StateEntry): boolean {
    if (seq <= this.lastSeq || seq <= this.#floorSeq) return false;
    let node = this.#nodes.get(key);
    if (node === undefined) {
      node = { key, value, seq, timeMs, older: undefined, newer: undefined };
      this.#nodes.set(key, node);
    } else {
      this.#unlink(node);
      node.value = value;
      node.seq = seq;
      node.timeMs = timeMs;
    }
    this.#append(node);
    return true;
  }

  /**
   * Entries after `seq`, oldest first, deletions included, until `take` answers false. A snapshot is everything
   * since 0. An entry is good only until `take` returns.
   */
  since(seq: number, take: (entry: StateEntry) => boolean): void {
    let node = this.#after(seq);
    while (node !== undefined && take(node)) node = node.newer;
  }

  /** Forgets deletions older than `beforeMs` and raises the floor to the newest of them. */
  forgetDeletions(beforeMs: number): void {
    for (const node of this.#deleted.values()) {
      if (node.timeMs >= beforeMs) return;
      this.#forget(node);
    }
  }

  /** Raises the floor: a deletion up to `seq` is not remembered. */
  raiseFloor(seq: number): void {
    this.#floorSeq = Math.max(this.#floorSeq, seq);
  }

  #forget(node: Node): void {
    this.raiseFloor(node.seq);
    this.#unlink(node);
    this.#nodes.delete(node.key);
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
    if (node.value === undefined) this.#deleted.set(node.key, node);
  }

  #unlink(node: Node): void {
    if (node.older === undefined) this.#first = node.newer;
    else node.older.newer = node.newer;
    if (node.newer === undefined) this.#last = node.older;
    else node.newer.older = node.older;
    this.#bytes -= sizeOf(node);
    if (node.value === undefined) this.#deleted.delete(node.key);
  }
}

function sizeOf({ key, value }: StateEntry): number {
  return key.length + (value?.length ?? 0);
}

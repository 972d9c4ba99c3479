// Whether a stream has fewer messages than it had, beyond the deletions that a clean-up says it removed. Pure.

/** What the newest mark of a clean-up says; its place is `seq`. */
export interface Removals {
  readonly seq: number;
  readonly run: string;
  readonly removed: number;
  readonly busy: boolean;
}

/** A removal is over within a second; after so many looks its control is gone. */
const MAX_BUSY_LOOKS = 6;

export class MessageCount {
  #messages: number | undefined;
  #removed = 0;
  #run: string | undefined;
  #busyLooks = 0;

  /**
   * Takes what the server said; `removals` from everything up to `lastSeq` at least. False where messages are missing.
   * While a removal is under way nothing is judged, nor between two runs, which count apart.
   */
  holds(facts: { readonly messages: number | undefined; readonly lastSeq: number }, now?: Removals): boolean {
    if (now !== undefined && (now.busy || now.seq > facts.lastSeq)) {
      this.#busyLooks++;
      if (this.#busyLooks <= MAX_BUSY_LOOKS) return true;
      this.#messages = undefined;
    }
    this.#busyLooks = 0;
    const { messages } = facts;
    const removed = now?.removed ?? 0;
    const comparable = this.#messages !== undefined && messages !== undefined && this.#run === now?.run;
    const holds = !comparable || messages + removed >= (this.#messages ?? 0) + this.#removed;
    this.#messages = messages;
    this.#removed = removed;
    this.#run = now?.run;
    return holds;
  }

  /** The stream is loaded anew. */
  forget(): void {
    this.#messages = undefined;
  }
}

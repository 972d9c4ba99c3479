// Puts the messages of one stream in order from two sources: the live feed (which may lose some) and a fill from the
// stream itself. What it lets through has rising sequences without a hole. Pure; knows no NATS.

/** A message with its place in the stream. */
export interface Sequenced {
  readonly seq: number;
}

/** How many live messages are kept while a fill is under way, so that it can hand over to the feed. */
export interface SequencerLimits {
  readonly maxWaiting: number;
}

export class Sequencer<T extends Sequenced> {
  readonly #deliver: (message: T) => void;
  readonly #onHole: ((upToSeq: number) => void) | undefined;
  readonly #maxWaiting: number;
  /** Live messages that came while something before them is missing, oldest first. */
  #waiting: T[] = [];
  #seq = 0;
  #liveSeq = 0;
  #holeSeq = 0;
  /** Reasons for doubt so far, and those that were answered: while they differ, nothing of the feed is let through. */
  #doubts = 0;
  #answered = 0;

  /**
   * `onHole` makes holes matter: the stream no longer has the messages after `seq` up to there, and they were not read.
   * Without it, a message that the stream no longer has is one that a later one has replaced.
   */
  constructor(limits: SequencerLimits, deliver: (message: T) => void, onHole?: (upToSeq: number) => void) {
    this.#maxWaiting = limits.maxWaiting;
    this.#deliver = deliver;
    this.#onHole = onHole;
  }

  /** Everything up to here was delivered. */
  get seq(): number {
    return this.#seq;
  }

  /** The end of the newest hole: of messages that the stream no longer had when they were to be read. */
  get holeSeq(): number {
    return this.#holeSeq;
  }

  /** Newest sequence that the live feed has shown. */
  get liveSeq(): number {
    return this.#liveSeq;
  }

  /** Begins at a place of the stream: the next message is the one after it. */
  startAt(seq: number): void {
    this.#seq = seq;
    this.#liveSeq = 0;
    this.#holeSeq = 0;
    this.#answered = this.#doubts;
    this.#waiting = [];
  }

  /** Reasons for doubt so far. */
  get doubts(): number {
    return this.#doubts;
  }

  /** The stream may not be the one it was: forgets the messages that wait; later ones wait for a look. */
  doubt(): void {
    this.#doubts++;
    this.#waiting = [];
    this.#liveSeq = Math.min(this.#liveSeq, this.#seq);
  }

  /**
   * A message of the live feed: `inOrder`, `gap` (something before it is missing; a fill is needed), `waits` (for the
   * look that a doubt asked for), or `backwards` (the feed has shown a later one before, so the stream may be another
   * one: later messages wait for a look).
   */
  live(message: T): 'inOrder' | 'gap' | 'waits' | 'backwards' {
    if (message.seq <= this.#liveSeq) {
      this.#doubts++;
      // It may belong to another history than the messages that wait.
      this.#waiting = [];
      return 'backwards';
    }
    this.#liveSeq = message.seq;
    if (message.seq <= this.#seq) return 'inOrder';
    const doubtful = this.#doubts !== this.#answered;
    if (message.seq === this.#seq + 1 && !doubtful) {
      this.#pass(message);
      return 'inOrder';
    }
    if (this.#waiting.length >= this.#maxWaiting) this.#waiting.shift();
    this.#waiting.push(message);
    return doubtful ? 'waits' : 'gap';
  }

  /** A message of the fill. The fill is complete: messages that it leaves out no longer exist. */
  fill(message: T): void {
    if (this.#answered === this.#doubts) this.#takeGone(message.seq - 1);
    if (message.seq <= this.#seq) return;
    this.#hole(message.seq - 1);
    this.#pass(message);
    this.#takeWaiting();
  }

  /**
   * The stream is the same, and has shown everything up to here, though it may keep no message at that sequence. This
   * answers `doubts` reasons for doubt.
   */
  filledTo(seq: number, doubts: number = this.#doubts): void {
    // After a later doubt, what waits may be of another history.
    if (doubts === this.#doubts) this.#takeGone(seq);
    this.#hole(seq);
    this.#answered = doubts;
    this.#takeWaiting();
  }

  /**
   * The stream had nothing after `lastSeq` when the feed had shown `shownSeq`: what the feed showed in between is not
   * of this stream (any client of NATS can publish there), and must not be waited for.
   */
  disbelieve(shownSeq: number, lastSeq: number): void {
    this.#waiting = this.#waiting.filter(({ seq }) => seq <= lastSeq || seq > shownSeq);
    this.#liveSeq = Math.max(this.#waiting.at(-1)?.seq ?? 0, Math.min(this.#liveSeq, this.#seq));
  }

  /** Whether live messages still wait for something before them. */
  get missing(): boolean {
    return this.#seq < this.#liveSeq;
  }

  /** The feed may have shown messages that the stream has lost since: they were read, and nothing else has them. */
  #takeGone(upToSeq: number): void {
    if (this.#onHole === undefined) return;
    for (const message of this.#waiting) {
      if (message.seq > upToSeq) break;
      if (message.seq <= this.#seq) continue;
      this.#hole(message.seq - 1);
      this.#pass(message);
    }
  }

  /** Nothing comes between the last message and the one after `upToSeq`. */
  #hole(upToSeq: number): void {
    if (upToSeq <= this.#seq) return;
    this.#onHole?.(upToSeq);
    this.#seq = upToSeq;
    this.#holeSeq = upToSeq;
  }

  #takeWaiting(): void {
    let taken = 0;
    for (const message of this.#waiting) {
      if (message.seq > this.#seq + 1) break;
      taken++;
      if (message.seq === this.#seq + 1) this.#pass(message);
    }
    if (taken > 0) this.#waiting.splice(0, taken);
  }

  #pass(message: T): void {
    this.#seq = message.seq;
    this.#deliver(message);
  }
}

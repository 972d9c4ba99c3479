// Whether a stream has as many messages as it should, by the messages that were read and by the number that a clean-up
// says it removed. Pure.
import type { Newness } from '../lanes/lane-sink.ts';
import type { Cleanup } from '../lanes/state-lane.ts';

/** `unclear`: a message may be missing behind another that came. */
export type CountVerdict = 'holds' | 'fewer' | 'unclear';

/** A removal is over within a second; after this many looks the control that ran it is gone. */
const MAX_BUSY_LOOKS = 6;
/** New subjects between two looks that are remembered one by one. */
const MAX_ADDED = 10_000;

export class MessageCount {
  readonly #latestOnly: boolean;
  #messages: number | undefined;
  #removed = 0;
  #run: string | undefined;
  #busyLooks = 0;
  /** `#messages` counts the messages up to here. */
  #countedSeq = 0;
  /** Sequences of new subjects since then, ascending. */
  #added: number[] = [];
  #unclearSeq = 0;

  /** `latestOnly`: the stream keeps one message of each subject, so that each new one adds exactly one. */
  constructor({ latestOnly }: { readonly latestOnly: boolean }) {
    this.#latestOnly = latestOnly;
  }

  /** The stream is loaded anew. The server's next answer counts the messages up to `seq`. */
  begin(seq: number): void {
    this.#messages = undefined;
    this.#countedSeq = seq;
    this.#added = [];
    this.#unclearSeq = 0;
  }

  /** A message was read. */
  note(seq: number, newness: Newness): void {
    if (seq <= this.#countedSeq || newness === 'known') return;
    if (newness === 'new' && this.#added.length < MAX_ADDED) this.#added.push(seq);
    else this.#unclearSeq = seq;
  }

  /** Messages that were lost have been replaced: the next verdict is `unclear`. */
  doubt(): void {
    this.#messages = undefined;
  }

  /**
   * Takes the server's facts, after every message up to `lastSeq` was noted; `now` is the newest mark in those messages.
   * While a removal is under way it judges nothing. Between two runs, which count apart, and if messages age out, the
   * answer is `unclear`.
   */
  judge(
    facts: { readonly messages: number | undefined; readonly lastSeq: number },
    now?: Cleanup,
  ): CountVerdict {
    if (now !== undefined && (now.busy || now.seq > facts.lastSeq)) {
      this.#busyLooks++;
      if (this.#busyLooks <= MAX_BUSY_LOOKS) return 'holds';
      this.#messages = undefined;
    }
    this.#busyLooks = 0;
    const verdict = this.#verdict(facts, now);
    // A message that replaces a lost one adds to the number, though its key is known: the next look has to compare.
    this.#messages = verdict === 'fewer' ? undefined : facts.messages;
    this.#removed = now?.removed ?? 0;
    this.#run = now?.run;
    this.#countedSeq = facts.lastSeq;
    this.#added = this.#added.filter((seq) => seq > facts.lastSeq);
    return verdict;
  }

  #verdict(
    { messages, lastSeq }: { readonly messages: number | undefined; readonly lastSeq: number },
    now: Cleanup | undefined,
  ): CountVerdict {
    if (this.#messages === undefined || messages === undefined || this.#run !== now?.run) return 'unclear';
    const added = this.#added.filter((seq) => seq <= lastSeq).length;
    const more = messages + (now?.removed ?? 0) - (this.#messages + this.#removed + added);
    if (more < 0) return 'fewer';
    if (!this.#latestOnly) return 'holds';
    return more > 0 || this.#unclearSeq > this.#countedSeq ? 'unclear' : 'holds';
  }
}

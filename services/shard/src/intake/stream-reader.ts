// Reads one stream for ever: loads it, follows its live feed, fills holes, and verifies that it is still the stream
// that it was. Another epoch means loading anew. It hands messages on in order; what they mean is not its business.
import type { EpochVerdict, Remembered, StreamFacts } from './epoch.ts';
import { epochName, judgeEpoch } from './epoch.ts';
import type { Removals } from './message-count.ts';
import { MessageCount } from './message-count.ts';
import { Sequencer } from './sequencer.ts';
import type { StreamAccess, StreamMessage } from './stream-access.ts';

/** Where messages go. Between `begin` and `loaded` they build up the lane; after it they are news. */
export interface StreamSink {
  begin(epoch: string, facts: StreamFacts): void;
  message(message: StreamMessage): void;
  /** Everything up to `seq` has been read. */
  loaded(seq: number): void;
}

export interface ReaderOptions {
  readonly access: StreamAccess;
  readonly sink: StreamSink;
  /** Longest time between two looks at the stream. */
  readonly verifyMs: number;
  /** Wait after a failure. */
  readonly retryMs: number;
  readonly maxWaiting: number;
  readonly onProblem: (problem: 'epoch' | 'gap' | 'failed', detail: unknown) => void;
  /** What was said to be removed, in what was read so far. */
  readonly removals?: () => Removals | undefined;
}

type Wake = 'timer' | 'gap' | 'backwards' | 'poked';

const PAIRS = 6;

export class StreamReader {
  readonly #options: ReaderOptions;
  readonly #sequencer: Sequencer<StreamMessage>;
  readonly #pairs: Remembered[] = [];
  readonly #count = new MessageCount();
  #newest: Remembered | undefined;
  #known: StreamFacts | undefined;
  #minGeneration = 0;
  #current = false;
  #stopped = false;
  #away = false;
  #wake: ((wake: Wake) => void) | undefined;
  #pending: Wake | undefined;

  constructor(options: ReaderOptions) {
    this.#options = options;
    this.#sequencer = new Sequencer({ maxWaiting: options.maxWaiting }, (message) => {
      this.#newest = { seq: message.seq, timeMs: message.timeMs };
      options.sink.message(message);
    });
  }

  /** Whether what was read is, as far as is known, all that there is. */
  get current(): boolean {
    return this.#current;
  }

  /** Runs until `stop`. Never rejects. */
  async run(): Promise<void> {
    let feed: { stop(): void } | undefined;
    while (!this.#stopped) {
      try {
        await this.#untilBack();
        if (this.#stopped) break;
        feed ??= this.#options.access.follow((message) => this.#live(message));
        if (this.#known === undefined) await this.#load();
        else await this.#check(await this.#nextWake());
      } catch (error) {
        if (this.#stopped) break; // the connection is being closed
        this.#current = false;
        this.#options.onProblem('failed', error);
        await new Promise((resolve) => setTimeout(resolve, this.#options.retryMs));
        // What woke it has been used up; the next look must not wait for another reason.
        if (this.#known !== undefined) this.poke();
      }
    }
    feed?.stop();
  }

  stop(): void {
    this.#stopped = true;
    this.poke();
  }

  /** Look at the stream now: somebody has seen a later message. */
  poke(): void {
    this.#signal('poked');
  }

  /** The connection is gone: until the next look nothing is known to be current, and nothing is asked. */
  lost(): void {
    this.#current = false;
    this.#away = true;
  }

  /** The connection is there again: look at once. */
  back(): void {
    this.#away = false;
    this.poke();
  }

  /** A question that is asked while nobody hears it would only be found unanswered long after the return. */
  async #untilBack(): Promise<void> {
    if (!this.#away) return;
    while (this.#away && !this.#stopped) await this.#nextWake();
    this.poke();
  }

  #live(message: StreamMessage): void {
    const verdict = this.#sequencer.live(message);
    if (verdict !== 'inOrder' && this.#known !== undefined) this.#signal(verdict);
  }

  async #load(): Promise<void> {
    const { access, sink } = this.#options;
    await access.ensure();
    let facts = await access.facts();
    if (facts === undefined) throw new Error('the stream is not there after it was made');
    if (facts.generation < this.#minGeneration) {
      await access.raiseGeneration(this.#minGeneration);
      facts = { ...facts, generation: this.#minGeneration };
    }
    this.#sequencer.startAt(0);
    this.#pairs.length = 0;
    this.#count.forget();
    this.#newest = undefined;
    sink.begin(epochName(facts), facts);
    await this.#fillUp(facts);
    // Before anything counts as known: where this fails, the stream is loaded anew.
    sink.loaded(this.#sequencer.seq);
    this.#known = facts;
    this.#count.holds(facts, this.#options.removals?.());
    this.#minGeneration = facts.generation;
    this.#remember();
    this.#current = true;
    if (this.#sequencer.missing) this.#signal('gap');
  }

  async #check(wake: Wake): Promise<void> {
    if (this.#stopped || this.#away) return;
    const { access, onProblem } = this.#options;
    // What we had before we asked must be in the answer; what comes while we wait need not be.
    const { seq, liveSeq } = this.#sequencer;
    const facts = await access.facts();
    if (this.#stopped || this.#known === undefined) return;
    if (facts === undefined) {
      this.#known = undefined;
      this.#current = false;
      onProblem('epoch', 'missing');
      return;
    }
    const holds = await this.#pairHolds(wake === 'backwards');
    const known = { ...this.#known, seq };
    const verdict = judgeEpoch(known, facts, holds);
    if (verdict !== 'same') return this.#otherEpoch(verdict, Math.max(known.generation, facts.generation));
    if (liveSeq > facts.lastSeq) this.#sequencer.disbelieve(liveSeq, facts.lastSeq);
    if (wake === 'gap' && facts.lastSeq > this.#sequencer.seq) onProblem('gap', this.#sequencer.seq);
    await this.#fillUp(facts);
    // Not before everything is read: what is missing may be explained there.
    if (!this.#count.holds(facts, this.#options.removals?.()))
      return this.#otherEpoch('raise', Math.max(known.generation, facts.generation));
    this.#remember();
    this.#current = true;
    if (this.#sequencer.missing) this.#signal('gap');
  }

  #otherEpoch(verdict: Exclude<EpochVerdict, 'same'>, generation: number): void {
    this.#options.onProblem('epoch', verdict);
    this.#minGeneration = verdict === 'raise' ? generation + 1 : 0;
    this.#known = undefined;
    this.#current = false;
  }

  async #fillUp(facts: StreamFacts): Promise<void> {
    const { access } = this.#options;
    if (facts.lastSeq > this.#sequencer.seq) {
      await access.fill(this.#sequencer.seq + 1, (message) => this.#sequencer.fill(message));
    }
    this.#sequencer.filledTo(facts.lastSeq);
  }

  /** Whether remembered messages still are what they were. Where none is left, `doubtful` decides. */
  async #pairHolds(doubtful: boolean): Promise<boolean> {
    for (const pair of this.#pairs.slice(-3).reverse()) {
      const holds = await this.#options.access.holds(pair);
      if (holds !== undefined) return holds;
    }
    return !doubtful;
  }

  #remember(): void {
    const newest = this.#newest;
    if (newest === undefined || this.#pairs.at(-1)?.seq === newest.seq) return;
    this.#pairs.push(newest);
    if (this.#pairs.length > PAIRS) this.#pairs.shift();
  }

  #signal(wake: Wake): void {
    if (this.#wake === undefined) {
      if (this.#pending !== 'backwards') this.#pending = wake;
    } else this.#wake(wake);
  }

  #nextWake(): Promise<Wake> {
    const pending = this.#pending;
    this.#pending = undefined;
    if (pending !== undefined) return Promise.resolve(pending);
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#wake?.('timer'), this.#options.verifyMs);
      this.#wake = (wake) => {
        clearTimeout(timer);
        this.#wake = undefined;
        resolve(wake);
      };
    });
  }
}

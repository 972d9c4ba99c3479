// Runs work as soon as this shard has read everything that the state stream had when the work was handed in. One
// request to the stream serves all the work that came before it; a stream that does not answer delays no work.

/** Whether the shard had read all when the work ran; `unknown` if the stream did not say, `late` after too long. */
export const REACH_OUTCOMES = ['reached', 'unknown', 'late'] as const;
export type ReachOutcome = (typeof REACH_OUTCOMES)[number];

export interface ReachOptions {
  /** The newest sequence of the stream at this moment; undefined if it cannot be known. */
  readonly newest: () => Promise<number | undefined>;
  /** Up to where this shard has read. */
  readonly seq: () => number;
  readonly sleep: (ms: number) => Promise<void>;
  readonly count: (outcome: ReachOutcome) => void;
}

/** Longest wait for the answer, and then for the feed. */
const ANSWER_MS = 1_000;
const READ_MS = 1_000;
const STEP_MS = 5;
/** Shortest time between two questions: in a storm of clients that come back, NATS is asked no more often. */
const LOOK_EVERY_MS = 20;
/** After a request without an answer, no work waits for this long. */
const BLIND_MS = 5_000;

export class Reach {
  readonly #o: ReachOptions;
  #waiting: (() => void)[] = [];
  #looking = false;
  #blind = false;

  constructor(options: ReachOptions) {
    this.#o = options;
  }

  when(run: () => void): void {
    if (this.#blind) return this.#run([run], 'unknown');
    this.#waiting.push(run);
    if (!this.#looking) void this.#look();
  }

  async #look(): Promise<void> {
    const { newest, sleep } = this.#o;
    this.#looking = true;
    while (this.#waiting.length > 0) {
      const runs = this.#waiting;
      this.#waiting = [];
      const seq = await Promise.race([newest(), sleep(ANSWER_MS).then(() => 'silence' as const)]);
      if (seq === 'silence') this.#goBlind();
      if (typeof seq === 'number') void this.#read(seq, runs);
      else this.#run([...runs, ...(this.#blind ? this.#waiting.splice(0) : [])], 'unknown');
      await sleep(LOOK_EVERY_MS);
    }
    this.#looking = false;
  }

  async #read(toSeq: number, runs: readonly (() => void)[]): Promise<void> {
    const { seq, sleep } = this.#o;
    for (let waitedMs = 0; waitedMs < READ_MS && seq() < toSeq; waitedMs += STEP_MS) await sleep(STEP_MS);
    this.#run(runs, seq() < toSeq ? 'late' : 'reached');
  }

  #goBlind(): void {
    this.#blind = true;
    void this.#o.sleep(BLIND_MS).then(() => {
      this.#blind = false;
    });
  }

  #run(runs: readonly (() => void)[], outcome: ReachOutcome): void {
    for (const run of runs) {
      this.#o.count(outcome);
      run();
    }
  }
}

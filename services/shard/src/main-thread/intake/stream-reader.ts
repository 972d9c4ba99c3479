// Reads one stream until it is stopped: loads it, follows its live feed, fills holes, and verifies that it is still the
// same stream. It loads another epoch anew. It hands messages on in order, and does not look at what they mean.

import type { LaneSink, Newness } from '../lanes/lane-sink.ts';
import type { Message } from '../lanes/message.ts';
import { audit } from './audit.ts';
import type { StreamFacts } from './epoch.ts';
import { epochName, judgeEpoch } from './epoch.ts';
import { History } from './history.ts';
import { lastKept } from './last-kept.ts';
import { MessageCount } from './message-count.ts';
import { Sequencer } from './sequencer.ts';
import type { StreamAccess } from './stream-access.ts';

/** The newest message of each subject. */
export interface Held {
  /** Those after a sequence; a deletion has no value. */
  after(
    seq: number,
  ): Iterable<{ readonly subject: string; readonly seq: number; readonly value: string | undefined }>;
  /** Whether a message was refused, so that the lane has nothing of it. */
  isRejected(message: Message): boolean;
  /** Whether every shard refuses it, whatever the bounds in its settings are. */
  isJunk(message: Message): boolean;
  /** Whether the lane has a value of a subject; also true for a subject that can have none. */
  hasValue(subject: string): boolean;
  /** Whether all values have found room. */
  isWhole(): boolean;
}

/** Messages up to a sequence that a stream no longer has, and that nobody read. */
export interface Hole {
  readonly upToSeq: number;
  readonly subjects: readonly string[] | undefined;
}

/**
 * `missing`: the stream had lost messages without a word: state got deletions in their place, and of critical messages
 * clients are told a gap.
 */
export const STREAM_PROBLEMS = ['epoch', 'gap', 'failed', 'missing'] as const;
export type StreamProblem = (typeof STREAM_PROBLEMS)[number];

export interface ReaderOptions {
  readonly access: StreamAccess;
  /** The lane of the stream. */
  readonly lane: Pick<LaneSink, 'begin' | 'loaded' | 'removals' | 'hadMs' | 'hadUpTo'>;
  /** How many messages the stream must still have of each subject, by what the lane has. */
  readonly owed?: (facts: StreamFacts) => ReadonlyMap<string, number>;
  /** Hands a message to the lane. Says whether its subject is a new one, as far as `held` can tell. */
  readonly take: (message: Message) => Newness;
  /** What the lane holds, by subject, if it keeps the newest message of each. */
  readonly held?: Held;
  /**
   * Each message counts: calls it before the first message behind those that the stream has lost before they were read.
   * `subjects` are those that may have lost some; undefined if it may be any.
   */
  readonly onHole?: (hole: Hole) => void;
  /** Longest time between two looks at the stream. */
  readonly verifyMs: number;
  /** Wait after a failure. */
  readonly retryMs: number;
  readonly maxWaiting: number;
  readonly onProblem: (problem: StreamProblem, detail: unknown) => void;
  /** `current` has become true. */
  readonly onCurrent?: () => void;
  /** The stream has been loaded: once, and again for each further epoch. */
  readonly onLoaded?: (seq: number) => void;
  readonly nowMs?: () => number;
  readonly random?: () => number;
}

type Wake = 'timer' | 'gap' | 'backwards' | 'poked';

/** Most subjects that the reader asks for one by one. If more are in doubt, the stream counts as another one. */
const MAX_ASKED = 256;
/** Most full subjects whose oldest message is asked for; of others nothing is known. */
const MAX_FULL = 100;
/** Most messages that are held back until the stream is proven to be the same. */
const MAX_HELD_BACK = 100_000;
/** Shortest time between two comparisons of all subjects with the stream, and the time for each subject. */
const AUDIT_EVERY_MS = 5_000;
const AUDIT_MS_A_SUBJECT = 0.2;
/** Places of a stream. */
interface Places {
  readonly fromSeq: number;
  readonly toSeq: number;
}
const NOTHING: Places = { fromSeq: Number.POSITIVE_INFINITY, toSeq: 0 };

export class StreamReader {
  readonly #options: ReaderOptions;
  readonly #sequencer: Sequencer<Message>;
  readonly #history = new History();
  readonly #count: MessageCount;
  readonly #nowMs: () => number;
  #auditWanted = false;
  /** How far a comparison got that was too much for one time; 0 if none waits to be continued. */
  #judgedSeq = 0;
  /** A message of which the lane has nothing was read. */
  #hasRefused = false;
  /** Up to here nothing was missed that counts: of each subject the newest message was read. */
  #wholeSeq = 0;
  /** The first and the last message of which the lane has nothing that were read behind messages missed. */
  #doubtful = NOTHING;
  #nextAuditMs = Number.NEGATIVE_INFINITY;
  #known: StreamFacts | undefined;
  #minGeneration = 0;
  #current = false;
  #stopped = false;
  #away = false;
  /** Number of lost connections. An answer from one connection proves nothing about messages of the next. */
  #losses = 0;
  /** Subjects that have as many messages as the stream keeps, with the oldest one: they explain holes before that one. */
  #full: ReadonlyMap<string, number> = new Map();
  /** Subjects of which the stream has lost messages that it should have: the hole may be theirs, too. */
  #purged: readonly string[] = [];
  /** What ends the wait for each answer that is under way. */
  readonly #asked = new Set<(lost: Error) => void>();
  #wake: ((wake: Wake) => void) | undefined;
  #pending: Wake | undefined;

  constructor(options: ReaderOptions) {
    this.#options = options;
    this.#nowMs = options.nowMs ?? (() => performance.now());
    this.#count = new MessageCount({ latestOnly: options.held !== undefined });
    this.#sequencer = new Sequencer(
      { maxWaiting: options.maxWaiting },
      (message) => {
        this.#history.note(message.seq, message.timeMs, message);
        const newness = options.take(message);
        if (newness === 'unclear') this.#refused(message.seq);
        this.#count.note(message.seq, newness);
      },
      options.onHole === undefined ? undefined : (upToSeq) => this.#hole(upToSeq),
    );
  }

  /** Whether the lane has, as far as the reader knows, all that the stream has. */
  get current(): boolean {
    return this.#current;
  }

  /** Everything up to here was read. */
  get seq(): number {
    return this.#sequencer.seq;
  }

  /** Runs until `stop`. Never rejects. */
  async run(): Promise<void> {
    let feed: { stop(): void } | undefined;
    while (!this.#stopped) {
      try {
        await this.#untilBack();
        if (this.#stopped) break;
        feed ??= this.#options.access.follow(
          (message) => this.#live(message),
          () => this.#changed(),
        );
        if (this.#known === undefined) await this.#load();
        else await this.#check(await this.#nextWake());
      } catch (error) {
        if (this.#stopped) break; // the connection is being closed
        this.#current = false;
        this.#options.onProblem('failed', error);
        await new Promise((resolve) => setTimeout(resolve, this.#options.retryMs));
        // The wake has been used up; the next look must not wait for another one.
        if (this.#known !== undefined) this.poke();
      }
    }
    feed?.stop();
  }

  stop(): void {
    this.#stopped = true;
    this.poke();
  }

  /** Looks at the stream now, because a later message was seen elsewhere. */
  poke(): void {
    this.#signal('poked');
  }

  /** The connection is gone. Until the next look the lane is not known to be current, and the reader asks nothing. */
  lost(): void {
    this.#current = false;
    this.#away = true;
    // A server that crashed may have brought back what it had removed. Not all shards ask at once.
    const { random = Math.random } = this.#options;
    this.#auditWanted = true;
    this.#nextAuditMs = Math.max(this.#nextAuditMs, this.#nowMs() + random() * AUDIT_EVERY_MS);
    this.#losses++;
    for (const giveUp of this.#asked) giveUp(connectionLost());
    this.#asked.clear();
    this.#sequencer.doubt();
  }

  /** The connection is there again: look at once. */
  back(): void {
    this.#away = false;
    this.poke();
  }

  /** Waits for the connection. A request sent while disconnected would only time out after reconnecting. */
  async #untilBack(): Promise<void> {
    if (!this.#away) return;
    while (this.#away && !this.#stopped) await this.#nextWake();
    this.poke();
  }

  #refused(seq: number): void {
    this.#hasRefused = true;
    if (this.#sequencer.holeSeq <= this.#wholeSeq) return;
    this.#doubtful = { fromSeq: Math.min(this.#doubtful.fromSeq, seq), toSeq: seq };
  }

  #live(message: Message): void {
    const verdict = this.#sequencer.live(message);
    if (this.#known === undefined) return;
    if (verdict === 'gap' || verdict === 'backwards') this.#signal(verdict);
  }

  /** The stream has another leader or configuration: the feed waits for a look. */
  #changed(): void {
    if (this.#known === undefined) return;
    this.#sequencer.doubt();
    this.#signal('backwards');
  }

  async #load(): Promise<void> {
    const { access, lane, onLoaded } = this.#options;
    const losses = this.#losses;
    await this.#unlessLost(access.ensure());
    let facts = await this.#unlessLost(access.facts());
    if (facts === undefined) throw new Error('the stream is missing although it was just created');
    // Shards that start later cannot know what clients had of a history that is gone.
    const generation = Math.max(facts.generation, this.#minGeneration);
    const hadMs = Math.max(facts.hadMs, lane.hadMs?.() ?? 0);
    if (generation > facts.generation || hadMs > facts.hadMs) {
      await access.writeEpoch({ generation, hadMs });
      facts = { ...facts, generation, hadMs };
    }
    if (this.#stopped || losses !== this.#losses) return;
    this.#sequencer.startAt(0);
    this.#history.clear();
    this.#hasRefused = false;
    this.#judgedSeq = 0;
    this.#count.begin(facts.lastSeq);
    lane.begin(epochName(facts), facts);
    await this.#fill(facts.lastSeq, (message) => this.#sequencer.fill(message));
    if (losses !== this.#losses) return;
    this.#sequencer.filledTo(facts.lastSeq);
    this.#wholeSeq = this.#sequencer.seq;
    // Before the stream counts as known: if this fails, it is loaded anew.
    lane.loaded(this.#sequencer.seq);
    onLoaded?.(this.#sequencer.seq);
    this.#known = facts;
    this.#count.judge(facts, lane.removals?.());
    // Clients that come from other shards may still show the value that junk has replaced.
    this.#auditWanted = this.#hasRefused;
    this.#minGeneration = facts.generation;
    this.#becomeCurrent();
    if (this.#sequencer.missing) this.#signal('gap');
  }

  async #check(wake: Wake): Promise<void> {
    if (this.#stopped || this.#away) return;
    const { access, lane, onProblem } = this.#options;
    // The answer must contain what was read before the request; messages that come meanwhile may be missing in it.
    const { seq, liveSeq, doubts } = this.#sequencer;
    const losses = this.#losses;
    const facts = await this.#unlessLost(access.facts());
    if (facts === undefined) return this.#another('missing');
    if (this.#stopped || this.#known === undefined || losses !== this.#losses) return;
    const known = { ...this.#known, seq };
    let verdict = judgeEpoch(known, facts);
    const proof = verdict === 'same' ? await this.#prove(seq, facts) : undefined;
    if (losses !== this.#losses || this.#stopped) return;
    if (verdict === 'same' && proof === undefined) verdict = 'raise';
    if (verdict !== 'same') {
      if (verdict === 'raise') return this.#raise(facts);
      this.#minGeneration = 0;
      return this.#another(verdict);
    }
    if (liveSeq > facts.lastSeq) this.#sequencer.disbelieve(liveSeq, facts.lastSeq);
    if (wake === 'gap' && facts.lastSeq > this.#sequencer.seq) onProblem('gap', this.#sequencer.seq);
    await this.#explainHoles(facts);
    if (losses !== this.#losses || this.#stopped) return;
    if (proof?.fresh === undefined)
      await this.#fill(facts.lastSeq, (message) => this.#sequencer.fill(message));
    else for (const message of proof.fresh) this.#sequencer.fill(message);
    this.#sequencer.filledTo(facts.lastSeq, doubts);
    this.#wholeSeq = this.#sequencer.seq;
    if (this.#known !== undefined && facts.hadMs > this.#known.hadMs) {
      this.#known = { ...this.#known, hadMs: facts.hadMs };
      this.#options.lane.hadUpTo?.(facts.hadMs);
    }
    // After everything is read: the last messages may explain why others are missing.
    const count = this.#count.judge(facts, lane.removals?.());
    if (count === 'fewer' && this.#options.held === undefined) return this.#raise(facts);
    if (count !== 'holds') this.#auditWanted = true;
    this.#becomeCurrent();
    if (this.#sequencer.missing) this.#signal('gap');
    await this.#audit(facts);
  }

  /** What is missing before the first message has aged out, or gave way to any other; later ones gave way to their own. */
  async #explainHoles(facts: StreamFacts): Promise<void> {
    const { access, onHole, owed } = this.#options;
    const { firstSeq, lastSeq, maxPerSubject } = facts;
    const { seq } = this.#sequencer;
    if (onHole === undefined || lastSeq <= seq) return;
    const full = new Map<string, number>();
    this.#full = full;
    if (firstSeq > seq + 1 || maxPerSubject === Number.POSITIVE_INFINITY) return;
    const counts = await access.counts();
    for (const [subject, count] of counts) {
      if (count < maxPerSubject || full.size >= MAX_FULL) continue;
      const oldest = await access.oldest(subject);
      if (oldest !== undefined) full.set(subject, oldest);
    }
    if (full.size === 0) return;
    this.#purged = [...(owed?.(facts) ?? [])].flatMap(([subject, count]) =>
      (counts.get(subject) ?? 0) < Math.min(count, maxPerSubject) ? [subject] : [],
    );
  }

  #hole(upToSeq: number): void {
    const { onHole, onProblem } = this.#options;
    // While the stream is loaded, the lane knows better which subjects are full.
    if (this.#known !== undefined) onProblem('missing', upToSeq - this.#sequencer.seq);
    const full = [...this.#full].flatMap(([subject, oldestSeq]) => (oldestSeq > upToSeq ? [subject] : []));
    const subjects = full.length === 0 ? undefined : [...new Set([...full, ...this.#purged])];
    onHole?.({ upToSeq, subjects });
  }

  /** Compares all subjects with the stream where their number leaves a doubt. The feed goes on meanwhile. */
  async #audit(facts: StreamFacts): Promise<void> {
    const { access, held, onProblem } = this.#options;
    const judgedSeq = this.#judgedSeq;
    const isWanted = this.#auditWanted || judgedSeq > 0;
    if (held === undefined || !isWanted || this.#nowMs() < this.#nextAuditMs) return;
    // A doubt that came meanwhile needs a comparison from the beginning.
    this.#auditWanted &&= judgedSeq > 0;
    const losses = this.#losses;
    const doubtful = this.#doubtful;
    try {
      const outcome = await audit(
        {
          access,
          held,
          readTo: (seq) => this.#fill(seq, (message) => this.#sequencer.fill(message)),
          agesOut: facts.agesOut,
          deletionFloor: () => this.#deletionFloor(facts),
          // Another shard looks within the one time, and compares within the other one and one more look.
          junkBeforeMs: facts.serverNowMs - 2 * this.#options.verifyMs - auditEveryMs(facts),
          mayHaveMissed: (seq) => seq >= this.#doubtful.fromSeq && seq <= this.#doubtful.toSeq,
          judgedSeq,
        },
        this.#sequencer.seq,
      );
      if (this.#stopped || losses !== this.#losses) return;
      if (outcome === 'another') this.#raise(facts);
      else {
        this.#auditWanted ||= outcome.again;
        if (!outcome.again && this.#doubtful === doubtful) this.#doubtful = NOTHING;
        this.#judgedSeq = outcome.judgedSeq;
        if (outcome.mended > 0) {
          this.#count.doubt();
          onProblem('missing', outcome.mended);
        }
      }
    } catch (error) {
      this.#auditWanted = true;
      // The lane is as true as before, so the comparison is only tried again.
      if (!this.#stopped) onProblem('failed', error);
    } finally {
      this.#nextAuditMs = this.#nowMs() + auditEveryMs(facts);
    }
  }

  /** Deletions up to there may be gone. */
  #deletionFloor({ agesOut }: StreamFacts): number {
    return agesOut ? Number.POSITIVE_INFINITY : (this.#options.lane.removals?.()?.floorSeq ?? 0);
  }

  /** The stream went back, or lost messages that clients cannot be told of: all shards begin anew with it. */
  #raise(facts: StreamFacts): void {
    this.#minGeneration = Math.max(this.#known?.generation ?? 0, facts.generation) + 1;
    this.#another('raise');
  }

  #becomeCurrent(): void {
    if (this.#current) return;
    this.#current = true;
    this.#options.onCurrent?.();
  }

  #another(why: string): void {
    this.#known = undefined;
    this.#current = false;
    this.#options.onProblem('epoch', why);
  }

  /**
   * Proves that this is the stream of which everything up to `seq` was read; undefined if it is not. A stream that
   * went back shows it in one of two ways: another message at a sequence that was read, or an older message of a subject
   * than the one that was read. The first is found in what the stream still keeps; for the second, the reader asks for
   * each subject. If neither is so, later messages replace all that the stream lost, and the loss makes no difference.
   * Those later messages had to be read for the proof, so they are returned (`fresh`).
   */
  async #prove(
    seq: number,
    facts: StreamFacts,
  ): Promise<{ readonly fresh?: readonly Message[] } | undefined> {
    const { access, held } = this.#options;
    const kept = await lastKept(seq, facts.firstSeq, (place) => access.first(place));
    if (kept !== undefined && !this.#history.has(kept)) return undefined;
    if (held === undefined || kept?.seq === seq) return {};
    const fresh: Message[] = [];
    let tooMany = false;
    await this.#fill(facts.lastSeq, (message) => {
      if (fresh.length < MAX_HELD_BACK) fresh.push(message);
      else tooMany = true;
    });
    if (tooMany) return undefined;
    const renewed = new Set(fresh.map(({ subject }) => subject));
    const doubtful: { subject: string; seq: number; value: string | undefined }[] = [];
    for (const one of held.after(kept?.seq ?? 0)) {
      if (one.seq > seq || renewed.has(one.subject)) continue;
      doubtful.push(one);
      if (doubtful.length > MAX_ASKED) return undefined;
    }
    for (const one of doubtful) {
      const last = await access.last(one.subject);
      const cleanedUp = one.value === undefined && one.seq <= this.#deletionFloor(facts);
      if (last === undefined || cleanedUp) this.#auditWanted = true;
      else if (last.seq < one.seq) return undefined;
    }
    return { fresh };
  }

  /** Reads from the place that was reached to `lastSeq`, on one connection or not at all. */
  async #fill(lastSeq: number, take: (message: Message) => void): Promise<void> {
    if (lastSeq <= this.#sequencer.seq) return;
    const losses = this.#losses;
    const filled = this.#options.access.fill(this.#sequencer.seq + 1, (message) => {
      if (losses !== this.#losses) throw connectionLost();
      take(message);
    });
    await this.#unlessLost(filled);
  }

  /** A server that is back knows nothing of what it was asked before: the answer would only time out. */
  #unlessLost<T>(answer: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#asked.add(reject);
      const answered = (): void => void this.#asked.delete(reject);
      answer.then(resolve, reject).then(answered, answered);
    });
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

function connectionLost(): Error {
  return new Error('the connection was lost while the stream was read');
}

function auditEveryMs({ subjects }: StreamFacts): number {
  return Math.max(AUDIT_EVERY_MS, subjects * AUDIT_MS_A_SUBJECT);
}

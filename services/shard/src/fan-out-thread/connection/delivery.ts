// One client's delivery as a state machine: what the client gets as it comes, and the cursors from which it gets the
// rest in pieces. This is the only file that changes that state: one method an event. It is values alone: it writes
// nothing, asks for nothing, and knows no socket.
//
//   state      as it comes         in pieces, from the cursors
//   joining    nothing             critical messages, then state: the client is new, or begins anew
//   live       everything          nothing
//   stateHeld  critical messages   state
//   held       nothing             critical messages, then state: there was no room for a critical message
//   closing    nothing             nothing: its end is decided, by whichever side
//   gone       nothing             nothing: it has left the fan-out
//
//   event                          joining     live        stateHeld   held
//   caughtUp with everything       live        -           live        live
//   caughtUp with critical         stateHeld   -           stateHeld   stateHeld
//   caughtUp with less             joining     -           stateHeld   held
//   holdState                      joining     stateHeld   stateHeld   held
//   holdCritical                   joining     live        held        held
//   subscribe                      joining     joining     joining     held
//   restart of state               joining     stateHeld   stateHeld   held
//   restart of critical            joining     joining     joining     held
//   close                          closing     closing     closing     closing
//   leave                          gone        gone        gone        gone
//
// A client that is closing can only leave. `held` outlasts a restart: the room that the client lacks is the same.
import type { CatchUpAnswer, Cursor, ResumeWait } from '../../port/catch-up.ts';
import type { ChannelStart } from '../../port/messages.ts';
import type { Flow, FlowLimits } from './policy.ts';
import { isStuck, nextFlow } from './policy.ts';
import { Window } from './window.ts';

export type DeliveryState = 'joining' | 'live' | 'stateHeld' | 'held' | 'closing' | 'gone';

/** Sequences up to which a client has everything. */
export interface Heads {
  readonly stateSeq: number;
  readonly criticalSeq: number;
}

/** The sequences before a batch: where a client stands that does not get the batch. */
export interface BatchStart {
  readonly fromStateSeq: number;
  readonly fromCriticalSeq: number;
}

/** The clients of a fan-out that lack something: those that are joining, stateHeld or held. */
export interface Tally {
  behind: number;
}

/** What a client has when an event comes: its channels, and where it stands in them if it is live. */
export interface Standpoint {
  readonly channels: readonly string[];
  readonly heads: Heads;
}

export class Delivery {
  #state: DeliveryState = 'joining';
  #cursors: readonly Cursor[];
  #waitsFor: ResumeWait;
  #flow: Flow = 'flowing';
  #window: Window | undefined = undefined;
  #liveSinceMs: number = Number.POSITIVE_INFINITY;
  /** Number of the catch-up that it waits for; 0 while it waits for none. */
  #askId = 0;
  #tally: Tally | undefined = undefined;
  /** Number of the last batch that it was given, or that came before it. */
  #batch = 0;
  /** When the oldest unanswered ping was sent, in time in which this process ran. */
  #owesSinceMs: number | undefined = undefined;
  /** Channels that were unsubscribed after a snapshot of them had begun and before it ended. */
  #halfSent: Set<string> | undefined = undefined;

  /** `resumes`: the client comes back with a position, so its state waits for a pong first. */
  constructor(starts: readonly ChannelStart[], resumes: boolean) {
    this.#waitsFor = resumes ? 'pong' : 'nothing';
    this.#cursors = starts.map(({ channel, stateSeq, snapshot, criticalSeq, toldSeq, last }) => ({
      channel,
      stateSeq,
      snapshot,
      snapshotSeq: 0,
      half: false,
      criticalSeq,
      toldSeq,
      last,
    }));
  }

  get state(): DeliveryState {
    return this.#state;
  }

  /** Nothing more is written to the client. */
  get over(): boolean {
    return this.#state === 'closing' || this.#state === 'gone';
  }

  /** The client gets critical messages as they come. */
  get criticalLive(): boolean {
    return this.#state === 'live' || this.#state === 'stateHeld';
  }

  /** Since when the client has got everything that comes; infinity while it does not. */
  get liveSinceMs(): number {
    return this.#liveSinceMs;
  }

  /** How far each channel has got; empty while the client is live. */
  get cursors(): readonly Cursor[] {
    return this.#cursors;
  }

  /** Up to where the client has, or is being sent, the critical messages of all its channels; at most to the heads. */
  criticalReached(headSeq: number): number {
    if (this.criticalLive) return headSeq;
    return Math.min(headSeq, ...this.#cursors.map(({ criticalSeq }) => criticalSeq));
  }

  get waitsFor(): ResumeWait {
    return this.#waitsFor;
  }

  /** What the client's pongs proved; undefined until a catch-up takes more than one piece. */
  get window(): Window | undefined {
    return this.#window;
  }

  /** The client lacks something that it may ask for now, and waits for no answer. */
  get mayAsk(): boolean {
    if (this.#askId !== 0) return false;
    if (this.#state === 'stateHeld') return this.#waitsFor !== 'pong';
    return isBehind(this.#state);
  }

  /** A batch reaches the client. Returns false if the client has been given this batch, or came after it. */
  take(batch: number): boolean {
    if (this.#batch >= batch) return false;
    this.#batch = batch;
    return true;
  }

  /** The client joins a fan-out, behind this batch. From now on the tally counts it. */
  join(batch: number, tally: Tally): void {
    this.#batch = batch;
    this.#tally = tally;
    if (isBehind(this.#state)) tally.behind++;
  }

  /** The client has asked for what it lacks. */
  asked(id: number): void {
    this.#askId = id;
  }

  /** An answer has come. Returns whether the client still waits for it. */
  answered(id: number): boolean {
    if (this.#askId !== id) return false;
    this.#askId = 0;
    return true;
  }

  /** The answer that is under way counts no more. */
  withdraw(): void {
    this.#askId = 0;
  }

  /** What the client asked for is about to be written to it. */
  caughtUp({ cursors, live, criticalLive, reached }: CatchUpAnswer, nowMs: number): void {
    if (this.over) return;
    this.#cursors = cursors;
    if (reached === true) this.#waitsFor = 'nothing';
    if (live) {
      this.#become('live');
      this.#flow = 'flowing';
      this.#liveSinceMs = nowMs;
      return;
    }
    if (criticalLive) this.#become('stateHeld');
    // One piece was not all that the client lacks: from now on its pongs prove a window.
    this.#window ??= new Window();
  }

  /** From this batch on the client gets state in pieces; cosmetic messages are dropped for it. */
  holdState({ fromStateSeq, fromCriticalSeq }: BatchStart, channels: readonly string[], nowMs: number): void {
    if (this.#state !== 'live') return;
    this.#rewind({ channels, heads: { stateSeq: fromStateSeq, criticalSeq: fromCriticalSeq } });
    this.#window?.begin(nowMs);
  }

  /** From this batch on the client gets critical messages in pieces, too: there is no room for them. */
  holdCritical({ fromCriticalSeq }: BatchStart): void {
    if (this.#state !== 'stateHeld') return;
    this.#become('held');
    this.#askId = 0;
    this.#criticalFrom(fromCriticalSeq);
  }

  /**
   * The client subscribes: these channels begin with a snapshot, and with critical messages from now on. `isAgain` says
   * whether a snapshot of the channel is charged to the client. The critical messages of all channels come in pieces
   * first: the main thread learns of the channels only now, so batches that are under way may lack the critical messages
   * of the new channels.
   */
  subscribe(
    added: readonly string[],
    at: Standpoint & {
      readonly isAgain: (channel: string) => boolean;
      /** Begin with so many of the newest critical messages. */
      readonly last: number | undefined;
    },
  ): void {
    if (this.over) return;
    const { criticalSeq } = at.heads;
    this.#askId = 0;
    this.#rewind(at);
    if (this.#state === 'stateHeld') {
      this.#become('joining');
      this.#criticalFrom(criticalSeq);
    }
    const fresh = { stateSeq: 0, snapshot: true, snapshotSeq: 0, criticalSeq, last: at.last } as const;
    this.#cursors = [
      ...this.#cursors,
      ...added.map((channel) => ({
        ...fresh,
        channel,
        half: this.#halfSent?.delete(channel) === true,
        again: at.isAgain(channel),
      })),
    ];
  }

  /** The client unsubscribes from these channels. */
  unsubscribe(removed: readonly string[]): void {
    this.#askId = 0;
    for (const { channel, half } of this.#cursors) {
      if (!half || !removed.includes(channel)) continue;
      this.#halfSent ??= new Set();
      this.#halfSent.add(channel);
    }
    this.#cursors = this.#cursors.filter(({ channel }) => !removed.includes(channel));
  }

  /**
   * The client begins anew in these lanes: in the state with a snapshot of every channel, in the critical lane after
   * `criticalSinceSeq`.
   */
  restart(
    lanes: { readonly state: boolean; readonly criticalSinceSeq: number | undefined },
    at: Standpoint,
  ): void {
    if (this.over) return;
    this.#askId = 0;
    this.#rewind(at);
    if (lanes.criticalSinceSeq !== undefined) {
      if (this.#state === 'stateHeld') this.#become('joining');
      this.#criticalFrom(lanes.criticalSinceSeq);
    }
    if (!lanes.state) return;
    this.#cursors = this.#cursors.map((cursor) => ({
      ...cursor,
      stateSeq: 0,
      snapshot: true,
      snapshotSeq: 0,
    }));
  }

  /** A ping was sent to the client. `ranMs` is time in which this process ran. */
  pinged(ranMs: number): void {
    this.#owesSinceMs ??= ranMs;
  }

  /** A pong proved something. `owes`: a later ping is still unanswered. */
  ponged(ranMs: number, owes: boolean): void {
    this.#owesSinceMs = owes ? ranMs : undefined;
    if (this.#waitsFor === 'pong') this.#waitsFor = 'stream';
  }

  /** How long the client has owed a pong, in time in which this process ran. */
  unansweredMs(ranMs: number): number {
    return ranMs - (this.#owesSinceMs ?? ranMs);
  }

  /** Applies the policy of the pool to a backlog. */
  judge(backlogBytes: number, unansweredMs: number, limits: FlowLimits): Flow {
    const stuck = isStuck(this.#state === 'held', unansweredMs, limits);
    this.#flow = nextFlow(this.#flow, limits, backlogBytes, stuck);
    return this.#flow;
  }

  /** The client's end is decided. Returns false if it was decided before. */
  close(): boolean {
    if (this.over) return false;
    this.#become('closing');
    return true;
  }

  /** The client leaves the fan-out. Returns false if it left before. */
  leave(): boolean {
    if (this.#state === 'gone') return false;
    this.#become('gone');
    this.#askId = 0;
    return true;
  }

  #become(next: DeliveryState): void {
    if (this.#tally !== undefined)
      this.#tally.behind += Number(isBehind(next)) - Number(isBehind(this.#state));
    this.#state = next;
  }

  /** From live to cursors at the heads, so that they can be changed. */
  #rewind({ channels, heads: { stateSeq, criticalSeq } }: Standpoint): void {
    if (this.#state !== 'live') return;
    this.#become('stateHeld');
    this.#liveSinceMs = Number.POSITIVE_INFINITY;
    const at = { stateSeq, snapshot: false, snapshotSeq: 0, half: false, criticalSeq } as const;
    this.#cursors = channels.map((channel) => ({ ...at, channel }));
  }

  /** The critical messages of all channels come in pieces, after this sequence. */
  #criticalFrom(criticalSeq: number): void {
    this.#cursors = this.#cursors.map((cursor) => ({ ...cursor, criticalSeq }));
  }
}

function isBehind(state: DeliveryState): boolean {
  return state === 'joining' || state === 'stateHeld' || state === 'held';
}

// What crosses between the main thread and a fan-out thread. Both ways everything comes in the order in which it was
// sent, and much of what is promised rests on that: an answer is true at the newest batch that came before it.
import type { Position } from '@weir/protocol';
import type { CatchUpAnswer, CatchUpRequest } from './catch-up.ts';

/** Where the lanes stand. */
export interface Heads {
  readonly stateEpoch: string;
  readonly stateSeq: number;
  readonly criticalEpoch: string;
  readonly criticalSeq: number;
  /** When the server stored the message at each sequence, in its milliseconds. */
  readonly stateMs: number;
  readonly criticalMs: number;
}

/** The frames of a tick, or of several that were merged, or of critical messages between two. */
export interface HandOver {
  readonly type: 'handOver';
  readonly number: number;
  /** Sequences before it: where a connection stands that does not get it. */
  readonly fromStateSeq: number;
  readonly fromCriticalSeq: number;
  /** Sequences after it. */
  readonly stateSeq: number;
  readonly criticalSeq: number;
  readonly stateMs: number;
  readonly criticalMs: number;
  /** The latest of its ticks, in milliseconds behind its time. */
  readonly lateMs: number;
  /** When it was sent, on the clock that all threads share. */
  readonly sentMs: number;
  readonly rows: number;
  readonly bytes: ArrayBuffer;
}

export type Reply =
  | { readonly kind: 'arrived'; readonly id: number; readonly arrived: Arrived }
  | { readonly kind: 'caughtUp'; readonly id: number; readonly answer: CatchUpAnswer };

/** Another epoch of a lane: everything that was handed over before it is of the old one. */
export type Reset =
  | { readonly type: 'reset'; readonly lane: 'state'; readonly heads: Heads }
  | {
      readonly type: 'reset';
      readonly lane: 'critical';
      readonly heads: Heads;
      /** The last of the old epoch that clients may have, and the one of the new that they have in any case. */
      readonly afterSeq: number;
      readonly sinceSeq: number;
    };

/** How a thread drains. */
export interface DrainPace {
  readonly movesPerSecond: number;
  /** Time by which all clients must have been asked, whatever the pace. */
  readonly movesMs: number;
}

export type ToThread =
  | HandOver
  | Reset
  | { readonly type: 'replies'; readonly replies: readonly Reply[] }
  /** Open the listening socket for all threads. */
  | { readonly type: 'open'; readonly host: string; readonly port: number }
  /** Accept clients from the socket behind `fd`. */
  | { readonly type: 'join'; readonly fd: number }
  | ({ readonly type: 'drain' } & DrainPace)
  /** The pace of a drain is another one from now on. */
  | { readonly type: 'pace'; readonly movesPerSecond: number }
  /** Ask `moves` clients at most to move, spread over a second; `shedding` is the answer. */
  | ({ readonly type: 'shed'; readonly id: number } & ShedOrder)
  /** The answer to `doubt`: so far the streams go. */
  | { readonly type: 'judge'; readonly heads: Heads }
  | { readonly type: 'stop' };

export type FromThread =
  | { readonly type: 'opened'; readonly port: number; readonly fd: number }
  | { readonly type: 'notOpened'; readonly error: unknown }
  | { readonly type: 'done'; readonly number: number }
  /** Which forms of a channel the thread has subscribers for. The number is never used again for another channel. */
  | {
      readonly type: 'want';
      readonly id: number;
      readonly channel: string;
      readonly plain: boolean;
      readonly compressed: boolean;
    }
  | { readonly type: 'arrive'; readonly id: number; readonly arrival: Arriving }
  | { readonly type: 'catchUp'; readonly id: number; readonly request: CatchUpRequest }
  /** Clients say that they have more than the thread knows of. */
  | { readonly type: 'doubt' }
  | { readonly type: 'drained' }
  /** How many clients are asked to move. */
  | { readonly type: 'shedding'; readonly id: number; readonly accepted: number };

/** Somebody with a good ticket. */
export interface Arriving {
  readonly ticketId: string;
  readonly expiresInMs: number;
  readonly channels: readonly string[];
  readonly position: Position | undefined;
  /** The mark of where the client comes from. */
  readonly network: string | undefined;
}

/** Where one channel begins. */
export interface ChannelStart {
  readonly channel: string;
  /** State after this sequence is sent; 0 with `snapshot`. */
  readonly stateSeq: number;
  readonly snapshot: boolean;
  /** Critical messages after this sequence are sent, and so many of the newest up to it. */
  readonly criticalSeq: number;
  readonly last?: number | undefined;
  /** A gap to announce first. */
  readonly gap: { readonly after: number; readonly reset: boolean } | undefined;
}

/** What the shard makes of a good ticket. */
export type Arrived =
  | { readonly use: 'again' | 'full' | 'drawsTooMuch' }
  | { readonly use: 'first'; readonly starts: readonly ChannelStart[] };

/** A thread's part of a request to shed. */
export interface ShedOrder {
  readonly moves: number;
  /** How long each of them may take. */
  readonly withinMs: number;
  /** The first is not asked before. */
  readonly startInMs: number;
}

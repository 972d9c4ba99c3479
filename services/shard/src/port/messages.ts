// What crosses between the main thread and a fan-out thread. Both ways, messages come in the order in which they were
// sent. Much rests on that: an answer is true at the newest batch that came before it.
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
  /** Sequences before the hand-over: where a connection stands that does not get it. */
  readonly fromStateSeq: number;
  readonly fromCriticalSeq: number;
  /** Sequences after the hand-over. */
  readonly stateSeq: number;
  readonly criticalSeq: number;
  readonly stateMs: number;
  readonly criticalMs: number;
  /** Lateness of its latest tick, in milliseconds. */
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
      /** The last sequence of the old epoch that clients may have, and the one of the new epoch that they all have. */
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
  /** Changes the pace of a drain. */
  | { readonly type: 'pace'; readonly movesPerSecond: number }
  /** Ask at most `moves` clients to move, spread over a second; `shedding` is the answer. */
  | ({ readonly type: 'shed'; readonly id: number } & ShedOrder)
  /** The answer to `doubt`: how far the streams go. */
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
  /** A client claims more than the thread knows of. */
  | { readonly type: 'doubt' }
  | { readonly type: 'drained' }
  /** A second look at a client has ended; sent only where the log has such things. */
  | { readonly type: 'looked'; readonly look: Looked }
  /** How many clients are asked to move. */
  | { readonly type: 'shedding'; readonly id: number; readonly accepted: number };

/** Why a client stays in its pool, or is moved: what the router found, and what the shard found. */
export interface Looked {
  readonly session: string;
  readonly router: string;
  readonly shard: string;
  readonly evidence: string;
}

/** A client with a good ticket. */
export interface Arriving {
  readonly ticketId: string;
  readonly expiresInMs: number;
  readonly channels: readonly string[];
  readonly position: Position | undefined;
  /** How many of the newest critical messages it asks for in channels that the position does not speak for. */
  readonly last: number | undefined;
  /** The router's mark of the client's network. */
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
  /** The gap says that some messages up to here are lost. */
  readonly toldSeq?: number | undefined;
  /** A gap to announce first. */
  readonly gap: { readonly after: number; readonly reset: boolean } | undefined;
}

/** The main thread's answer to a good ticket. */
export type Arrived =
  | { readonly use: 'again' | 'full' | 'drawsTooMuch' }
  | { readonly use: 'first'; readonly starts: readonly ChannelStart[] };

/** A thread's part of a request to shed. */
export interface ShedOrder {
  readonly moves: number;
  /** How long each of them may take. */
  readonly withinMs: number;
  /** Time until the first client is asked. */
  readonly startInMs: number;
}

// The types that applications see. Imports nothing, so that the published .d.ts files stand alone.

/** What the connection is doing. `waiting`: until the next try. `closed`: for good. */
export type Status = 'connecting' | 'open' | 'waiting' | 'closed';

/** A user token, or a function that fetches one; the function is asked anew before every visit to the router. */
export type Token = string | (() => string | Promise<string>);

export interface ConnectOptions {
  /** The router: `wss://weir.example.com`. `/v1/connect` is added where the URL has no path; http(s) is understood. */
  readonly url: string;
  /** What to subscribe to from the start. More by `weir.channel(name).subscribe()`. */
  readonly channels?: readonly string[];
  readonly token?: Token;
  /** Asks for a slower pool than the one measured, such as `mobile`. */
  readonly class?: string;
  /** The WebSocket class to use instead of the platform's. */
  readonly WebSocket?: new (
    url: string,
    protocols?: string[],
  ) => object;
  /** Least time between two `state` or `cosmetic` events of a channel (default 50, at most 10,000). */
  readonly conflateMs?: number;
  /** Critical events that one iterator keeps for a slow consumer before it declares a gap (default 1,000). */
  readonly queueLimit?: number;
  /**
   * For feeds that never rest: opens a fresh connection beside the old one where nothing has arrived for so long.
   * Off by default in browsers, where a quiet channel and a dead path look the same. With the `ws` package pings
   * are seen, and it is 60,000.
   */
  readonly quietMs?: number;
  /** Waits before a reconnect, in milliseconds. */
  readonly reconnect?: ReconnectOptions;
}

export interface ReconnectOptions {
  /** The first try after a healthy connection broke comes at random within this time (default 8,000). */
  readonly spreadMs?: number;
  /** Exponential back-off with full jitter starts here (default 1,000) … */
  readonly baseMs?: number;
  /** … and ends here (default 30,000). */
  readonly capMs?: number;
}

/** All changes of a channel's state since the last such event; `del` are the keys that are gone. */
export interface StateEvent {
  readonly type: 'state';
  readonly set: ReadonlyMap<string, unknown>;
  readonly del: readonly string[];
  /** A whole snapshot arrived among the changes: the state is complete from now on. */
  readonly snapshot: boolean;
}

export interface CriticalEvent {
  readonly type: 'critical';
  readonly id: number;
  readonly data: unknown;
}

export interface CosmeticEvent {
  readonly type: 'cosmetic';
  readonly data: readonly unknown[];
  /** How many older ones were dropped here because nobody took them in time. */
  readonly dropped: number;
}

/** What followed the critical message `after`, up to the next one, is lost. */
export interface GapEvent {
  readonly type: 'gap';
  readonly after: number;
  /** Ids begin anew. */
  readonly reset: boolean;
  /** `server`: out of its retention window. `position`: the connection broke before it had a position. `overflow`: this iterator was too slow. */
  readonly cause: 'server' | 'position' | 'overflow';
}

export interface ChannelEvents {
  readonly state: StateEvent;
  readonly critical: CriticalEvent;
  readonly cosmetic: CosmeticEvent;
  readonly gap: GapEvent;
}
export type ChannelEvent = ChannelEvents[keyof ChannelEvents];

/** Stops what an `on` started. */
export type Unsubscribe = () => void;

/**
 * One channel. Iterating it yields its events, beginning with the state that is there already; a slow consumer
 * gets conflated state, the newest cosmetics, and a `gap` where critical events had to be dropped.
 */
export interface Channel extends AsyncIterable<ChannelEvent> {
  readonly name: string;
  /** Newest value of every key: always current, also between events. */
  readonly state: ReadonlyMap<string, unknown>;
  readonly subscribed: boolean;
  subscribe(): void;
  /** Ends its iterations too; `state` is emptied. */
  unsubscribe(): void;
  on<K extends keyof ChannelEvents>(name: K, listener: (event: ChannelEvents[K]) => void): Unsubscribe;
}

export interface Info {
  readonly pool: string | undefined;
  readonly shard: string | undefined;
  readonly session: string | undefined;
  readonly tickMs: number | undefined;
  /** As the router measured it last; missing where it did not have to. */
  readonly rttMs: number | undefined;
  readonly kbps: number | undefined;
  readonly confidence: 'high' | 'medium' | 'low' | undefined;
  /** Visits to the router so far. */
  readonly attempts: number;
  /** How the last connection, or try of one, ended. */
  readonly lastClose: CloseEvent | undefined;
}

export interface OpenEvent {
  readonly pool: string;
  readonly shard: string;
  readonly rttMs: number | undefined;
  readonly kbps: number | undefined;
  readonly confidence: 'high' | 'medium' | 'low';
  /** Goes on where the last connection ended: what changed since follows instead of a snapshot. */
  readonly resumed: boolean;
}

/** The connection went elsewhere; nothing was lost and nothing comes twice. */
export interface MoveEvent extends OpenEvent {
  /** The shard's word (`drain`, `rebalance`, `tooSlow`, `promote`), or `refresh` where the client wanted it. */
  readonly reason: string;
  readonly from: { readonly pool: string | undefined; readonly shard: string | undefined };
}

export interface CloseEvent {
  readonly code: number;
  readonly reason: string;
}

/** An error with a `code` to compare; the message says what to do. */
export interface WeirErrorLike extends Error {
  readonly code: string;
  readonly channel: string | undefined;
  readonly closeCode: number | undefined;
}

/** A try, or an open connection, has ended and the client comes back by itself. */
export interface RetryEvent {
  /** Failures in a row, this one included; 1 after a connection that was healthy. */
  readonly attempt: number;
  /** The next try begins after so many milliseconds. */
  readonly inMs: number;
  /** How it ended: a close code of the protocol, or 1006 where there was none. */
  readonly code: number;
  readonly reason: string;
  /** What ended: fetching a `token`, the visit to the `router`, the way to the `stream`, or an `open` connection. */
  readonly stage: 'token' | 'router' | 'stream' | 'open';
}

export interface WeirEvents {
  readonly open: OpenEvent;
  readonly status: Status;
  readonly move: MoveEvent;
  readonly retry: RetryEvent;
  readonly error: WeirErrorLike;
  /** Once, when it is over for good: by `close()`, or by a code that says stop. */
  readonly close: CloseEvent;
}

export interface Weir {
  readonly status: Status;
  readonly info: Info;
  /** The channel of that name; it is subscribed to by `channels` of `connect` or by its `subscribe()`. */
  channel(name: string): Channel;
  on<K extends keyof WeirEvents>(name: K, listener: (event: WeirEvents[K]) => void): Unsubscribe;
  close(): void;
}

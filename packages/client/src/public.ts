// The types that applications see. Imports nothing, so that the published .d.ts files stand alone.

/** What the connection is doing. `waiting`: until the next try. `paused` and `closed`: until the application says so. */
export type Status = 'connecting' | 'open' | 'waiting' | 'paused' | 'closed';

/**
 * A user token, or a function that fetches one. The function is asked anew before every visit to the router, and before
 * the token expires; with a text the connection ends when the token does.
 */
export type Token = string | (() => string | Promise<string>);

export interface ConnectOptions {
  /** The router: `wss://weir.example.com`. `/v1/connect` is added where the URL has no path; http(s) is understood. */
  readonly url: string;
  /** What to subscribe to from the start. More by `weir.channel(name).subscribe()`. */
  readonly channels?: readonly string[] | undefined;
  readonly token?: Token | undefined;
  /** Asks for a slower pool than the one measured, such as `mobile`. */
  readonly class?: string | undefined;
  /** The WebSocket class to use instead of the platform's. */
  readonly WebSocket?: (new (url: string, protocols?: string[]) => object) | undefined;
  /** Least time between two `state` or `cosmetic` events of a channel (default 50, at most 10,000). */
  readonly conflateMs?: number | undefined;
  /** Critical events that one iterator keeps for a slow consumer before it declares a gap (default 1,000). */
  readonly queueLimit?: number | undefined;
  /**
   * Takes the path for dead when nothing has arrived for so long, and opens another connection beside the old one.
   * By default two beats of the shard, which is 30,000 where the cluster does not say otherwise; at least 3,000.
   */
  readonly quietMs?: number | undefined;
  /**
   * Where to keep how far this page has got, such as `sessionStorage`: after a reload critical messages go on from
   * there, and what is lost is told by a `gap`. One client for each `url` and storage.
   */
  readonly resume?: ResumeStorage | undefined;
  /**
   * `{ last: 50 }`: a channel begins with so many of its newest critical messages, as far as the cluster keeps them and
   * allows it (100 where it does not say otherwise).
   */
  readonly critical?: { readonly last?: number | undefined } | undefined;
  /** Waits before a reconnect, in milliseconds. */
  readonly reconnect?: ReconnectOptions | undefined;
}

/** The part of `Storage` that is used; both may answer with a promise, as React Native's AsyncStorage does. */
export interface ResumeStorage {
  getItem(key: string): string | null | Promise<string | null>;
  setItem(key: string, value: string): unknown;
}

export interface ReconnectOptions {
  /** The first try after a healthy connection broke comes at random within this time (default 8,000). */
  readonly spreadMs?: number | undefined;
  /** Exponential back-off with full jitter starts here (default 1,000) … */
  readonly baseMs?: number | undefined;
  /** … and ends here (default 30,000). */
  readonly capMs?: number | undefined;
}

/** The types of what a channel carries, as the application knows them. Nothing checks them at run time. */
export interface ChannelTypes {
  readonly state?: unknown;
  readonly critical?: unknown;
  readonly cosmetic?: unknown;
}

/** All changes of a channel's state since the last such event; `del` are the keys that are gone. */
export interface StateEvent<State = unknown> {
  readonly type: 'state';
  readonly set: ReadonlyMap<string, State>;
  readonly del: readonly string[];
  /** A whole snapshot arrived among the changes: the state is complete from now on. */
  readonly snapshot: boolean;
}

export interface CriticalEvent<Critical = unknown> {
  readonly type: 'critical';
  readonly id: number;
  readonly data: Critical;
}

export interface CosmeticEvent<Cosmetic = unknown> {
  readonly type: 'cosmetic';
  readonly data: readonly Cosmetic[];
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

export interface ChannelEvents<T extends ChannelTypes = ChannelTypes> {
  readonly state: StateEvent<T['state']>;
  readonly critical: CriticalEvent<T['critical']>;
  readonly cosmetic: CosmeticEvent<T['cosmetic']>;
  readonly gap: GapEvent;
}
export type ChannelEvent<T extends ChannelTypes = ChannelTypes> = ChannelEvents<T>[keyof ChannelEvents];

/** Stops what an `on` started. */
export type Unsubscribe = () => void;

/**
 * One channel. Iterating it yields its events, beginning with the state that is there already; a slow consumer
 * gets conflated state, the newest cosmetics, and a `gap` where critical events had to be dropped.
 */
export interface Channel<T extends ChannelTypes = ChannelTypes> extends AsyncIterable<ChannelEvent<T>> {
  readonly name: string;
  /** Newest value of every key: always current, also between events. One object that changes. */
  readonly state: ReadonlyMap<string, T['state']>;
  /** The same as an object that never changes: another one after each change, and the same one in between. */
  readonly snapshot: ReadonlyMap<string, T['state']>;
  readonly subscribed: boolean;
  /** Throws CLOSED while the client is closed, CHANNEL_LIMIT over 100 channels. */
  subscribe(): void;
  /**
   * The contract of stores, as Svelte and others know it: subscribes to the channel, calls `run` with the snapshot at
   * once and after each `state` event, and returns what stops these calls. The channel stays subscribed to. While the
   * client is closed it calls `run` once and does not throw CLOSED.
   */
  subscribe(run: (snapshot: ReadonlyMap<string, T['state']>) => void): Unsubscribe;
  /** Ends its iterations too; `state` is emptied. */
  unsubscribe(): void;
  /** Throws a TypeError for an event that does not exist. */
  on<K extends keyof ChannelEvents>(name: K, listener: (event: ChannelEvents<T>[K]) => void): Unsubscribe;
  /** The same for one event. */
  once<K extends keyof ChannelEvents>(name: K, listener: (event: ChannelEvents<T>[K]) => void): Unsubscribe;
  /** Stops every `on` and `once` of this function. */
  off<K extends keyof ChannelEvents>(name: K, listener: (event: ChannelEvents<T>[K]) => void): void;
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

export type WeirErrorCode =
  | 'NOT_AUTHORISED'
  | 'PROTOCOL_ERROR'
  | 'ORIGIN_REFUSED'
  | 'REFUSED'
  | 'CHANNEL_FORBIDDEN'
  | 'CHANNEL_LIMIT'
  | 'CHANNEL_INVALID'
  | 'TOKEN_FAILED'
  | 'NO_WEBSOCKET'
  | 'BAD_URL'
  | 'CLOSED'
  | 'INTERNAL';

/** An error with a `code` to compare; the message says what to do. */
export interface WeirErrorLike extends Error {
  readonly code: WeirErrorCode;
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
  /** When it is over: by `close()`, or by a code that says stop. */
  readonly close: CloseEvent;
}

/** What each channel carries, by its name. */
export type Channels<C> = { readonly [Name in keyof C]: ChannelTypes };

export interface Weir<C extends Channels<C> = Record<string, ChannelTypes>> {
  readonly status: Status;
  readonly info: Info;
  /**
   * The channel of that name; it is subscribed to by `channels` of `connect` or by its `subscribe()`. Throws
   * CHANNEL_INVALID for what cannot be a name.
   */
  channel<Name extends keyof C & string>(name: Name): Channel<C[Name]>;
  channel<T extends ChannelTypes>(name: string): Channel<T>;
  /** Throws a TypeError for an event that does not exist. */
  on<K extends keyof WeirEvents>(name: K, listener: (event: WeirEvents[K]) => void): Unsubscribe;
  /** The same for one event. */
  once<K extends keyof WeirEvents>(name: K, listener: (event: WeirEvents[K]) => void): Unsubscribe;
  /** Stops every `on` and `once` of this function. */
  off<K extends keyof WeirEvents>(name: K, listener: (event: WeirEvents[K]) => void): void;
  /** Closes the connection and keeps state, position and subscriptions, until `resume()`. */
  pause(): void;
  /** Ends a pause: what changed meanwhile comes, and critical messages go on where they were. */
  resume(): void;
  /** Ends everything, iterations too: no timer, socket or listener of the platform is left. */
  close(): void;
  /** Opens a client that is closed, whoever closed it, with its state, position and subscriptions; ends a pause. */
  connect(): void;
}

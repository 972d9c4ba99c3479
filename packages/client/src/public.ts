// The types that applications see. Imports nothing, so that the published .d.ts files stand alone.

/**
 * What the connection is doing.
 *
 * - `connecting`: on the way to the router or to a shard;
 * - `open`: a shard serves the client;
 * - `waiting`: until the next try, or until the page is shown again;
 * - `paused`: until `resume()` or `connect()`;
 * - `closed`: until `connect()`.
 */
export type Status = 'connecting' | 'open' | 'waiting' | 'paused' | 'closed';

/**
 * A user token, or a function that fetches one. The function is asked anew before every visit to the router, and before
 * the token expires; with a text the connection ends when the token does.
 */
export type Token = string | (() => string | Promise<string>);

/** What `connect` takes. An option that does not exist, or is of another kind, throws a TypeError. */
export interface ConnectOptions {
  /** The router: `wss://weir.example.com`. `/v1/connect` is added where the URL has no path; http(s) is understood. */
  readonly url: string;
  /**
   * What to subscribe to from the start: at most 100 names, together at most 1,200 characters. More by
   * `weir.channel(name).subscribe()`. With none the client connects at the first `subscribe()`.
   */
  readonly channels?: readonly string[] | undefined;
  /** Who the user is, where the cluster wants to know. None by default. */
  readonly token?: Token | undefined;
  /** Asks for a slower pool than the one measured, such as `mobile`. A faster one cannot be asked for. */
  readonly class?: string | undefined;
  /** The WebSocket class to use instead of the platform's. */
  readonly WebSocket?: (new (url: string, protocols?: string[]) => object) | undefined;
  /** Least time between two `state` or `cosmetic` events of a channel, in milliseconds (default 50, at most 10,000). */
  readonly conflateMs?: number | undefined;
  /**
   * Critical events that one iterator keeps for a slow consumer before it drops the oldest and declares a gap (default
   * 1,000, at least 1).
   */
  readonly queueLimit?: number | undefined;
  /**
   * Takes the path for dead when nothing has arrived for so long, in milliseconds, and opens another connection beside
   * the old one. By default two beats of the shard, which is 30,000 where the cluster does not say otherwise; at least
   * 3,000.
   */
  readonly quietMs?: number | undefined;
  /**
   * Where to keep how far this page has got, such as `sessionStorage`: after a reload critical messages go on from
   * there, and what is lost is told by a `gap`. One client for each `url` and storage. A storage that fails costs the
   * resume, never the connection.
   */
  readonly resume?: ResumeStorage | undefined;
  /**
   * `{ last: 50 }`: a channel begins with so many of its newest critical messages, as far as the cluster keeps them and
   * allows it (100 where it does not say otherwise). None by default.
   */
  readonly critical?:
    | {
        /** How many critical messages a channel begins with. */
        readonly last?: number | undefined;
      }
    | undefined;
  /** Waits before a reconnect. */
  readonly reconnect?: ReconnectOptions | undefined;
}

/** The part of `Storage` that is used; both may answer with a promise, as React Native's AsyncStorage does. */
export interface ResumeStorage {
  /** The text that was saved under `key`, or `null`. */
  getItem(key: string): string | null | Promise<string | null>;
  /** Saves a short text, which grows with the channels; called while data flow, at most once in `conflateMs`. */
  setItem(key: string, value: string): unknown;
}

/** Waits before a reconnect, in milliseconds. Each is a random part of the time given, so that clients do not come in one wave. */
export interface ReconnectOptions {
  /** The first try after a healthy connection broke comes at random within this time (default 8,000). */
  readonly spreadMs?: number | undefined;
  /** Exponential back-off starts here: a random part of 2, 4, 8, … times this (default 1,000). */
  readonly baseMs?: number | undefined;
  /** The longest such wait (default 30,000). */
  readonly capMs?: number | undefined;
}

/** The types of what a channel carries, as the application knows them. Nothing checks them at run time. */
export interface ChannelTypes {
  /** The value of a key. */
  readonly state?: unknown;
  /** The data of a critical message. */
  readonly critical?: unknown;
  /** The data of a cosmetic message. */
  readonly cosmetic?: unknown;
}

/** All changes of a channel's state since the last such event; `del` are the keys that are gone. */
export interface StateEvent<State = unknown> {
  /** Tells the events of an iteration apart. */
  readonly type: 'state';
  /** The newest value of each key that changed. A value that is equal to the one before is no change. */
  readonly set: ReadonlyMap<string, State>;
  /** The keys that are gone. */
  readonly del: readonly string[];
  /** A whole snapshot arrived among the changes: the state is complete from now on. */
  readonly snapshot: boolean;
}

/** One critical message: each comes once and in the order of its channel, across reconnects and moves. */
export interface CriticalEvent<Critical = unknown> {
  /** Tells the events of an iteration apart. */
  readonly type: 'critical';
  /** Rises within a channel, with holes that mean nothing; below 2^53. Begins anew after a gap with `reset`. */
  readonly id: number;
  /** What the publisher said. */
  readonly data: Critical;
}

/** The cosmetic messages since the last such event. They are best effort: any of them may be missing. */
export interface CosmeticEvent<Cosmetic = unknown> {
  /** Tells the events of an iteration apart. */
  readonly type: 'cosmetic';
  /** At most the newest 256, the oldest first. */
  readonly data: readonly Cosmetic[];
  /** How many older ones were dropped here because nobody took them in time. */
  readonly dropped: number;
}

/** What followed the critical message `after`, up to the next one, is lost. */
export interface GapEvent {
  /** Tells the events of an iteration apart. */
  readonly type: 'gap';
  /** The id of the last critical message before the gap, with `reset` one of the old count; 0 where there was none. */
  readonly after: number;
  /** Ids begin anew: the next one may be lower. */
  readonly reset: boolean;
  /** `server`: out of its retention window. `position`: the connection broke before it had a position. `overflow`: this iterator was too slow. */
  readonly cause: 'server' | 'position' | 'overflow';
}

/** The events of a channel, by the name that `channel.on` takes. */
export interface ChannelEvents<T extends ChannelTypes = ChannelTypes> {
  /** State changed; at most once in `conflateMs`. */
  readonly state: StateEvent<T['state']>;
  /** A critical message, as soon as it arrives. */
  readonly critical: CriticalEvent<T['critical']>;
  /** Cosmetic messages; at most once in `conflateMs`. */
  readonly cosmetic: CosmeticEvent<T['cosmetic']>;
  /** Critical messages are lost. */
  readonly gap: GapEvent;
}

/** What an iteration over a channel yields; `type` says which it is. */
export type ChannelEvent<T extends ChannelTypes = ChannelTypes> = ChannelEvents<T>[keyof ChannelEvents];

/** Stops what an `on` started. */
export type Unsubscribe = () => void;

/**
 * One channel. Iterating it yields its events, beginning with the state that is there already; a slow consumer
 * gets conflated state, the newest cosmetics, and a `gap` where critical events had to be dropped. An iteration ends when
 * the channel is left or the client is closed; it throws the WeirError where the cluster refused the client.
 */
export interface Channel<T extends ChannelTypes = ChannelTypes> extends AsyncIterable<ChannelEvent<T>> {
  /** As `weir.channel(name)` was asked for it. */
  readonly name: string;
  /** Newest value of every key: always current, also between events. One object that changes. */
  readonly state: ReadonlyMap<string, T['state']>;
  /** The same as an object that never changes: another one after each change, and the same one in between. */
  readonly snapshot: ReadonlyMap<string, T['state']>;
  /** Whether the application wants the channel, also while there is no connection. */
  readonly subscribed: boolean;
  /**
   * Subscribes, where it is not subscribed to. Throws CLOSED while the client is closed, CHANNEL_LIMIT over 100 channels
   * or 1,200 characters of names.
   */
  subscribe(): void;
  /**
   * The contract of stores, as Svelte and others know it: subscribes to the channel, calls `run` with the snapshot at
   * once and after each `state` event, and returns what stops these calls. The channel stays subscribed to. While the
   * client is closed it calls `run` once and does not throw CLOSED.
   */
  subscribe(run: (snapshot: ReadonlyMap<string, T['state']>) => void): Unsubscribe;
  /** Leaves the channel. Ends its iterations too; `state` is emptied. */
  unsubscribe(): void;
  /**
   * Listens, and returns what stops it. What a listener throws surfaces as an uncaught error and disturbs nothing else.
   * Throws a TypeError for an event that does not exist.
   */
  on<K extends keyof ChannelEvents>(name: K, listener: (event: ChannelEvents<T>[K]) => void): Unsubscribe;
  /** The same for one event. */
  once<K extends keyof ChannelEvents>(name: K, listener: (event: ChannelEvents<T>[K]) => void): Unsubscribe;
  /** Stops every `on` and `once` of this function. */
  off<K extends keyof ChannelEvents>(name: K, listener: (event: ChannelEvents<T>[K]) => void): void;
}

/** What is known of the connection. Another object after each change. */
export interface Info {
  /** The pool of shards that serves the client, such as `mobile`; undefined before the first connection. */
  readonly pool: string | undefined;
  /** The name of the shard; undefined before the first connection. */
  readonly shard: string | undefined;
  /** The shard's name for this connection, for its logs. */
  readonly session: string | undefined;
  /** Least time between two state messages of a channel in this pool, in milliseconds. */
  readonly tickMs: number | undefined;
  /** The round trip in milliseconds, as the router measured it last; missing where it did not have to. */
  readonly rttMs: number | undefined;
  /** The throughput in kbit/s, as the router measured it last; missing where it did not have to. */
  readonly kbps: number | undefined;
  /** How certain the router was of the pool. */
  readonly confidence: 'high' | 'medium' | 'low' | undefined;
  /** Visits to the router so far. */
  readonly attempts: number;
  /** How the last connection, or try of one, ended. */
  readonly lastClose: CloseEvent | undefined;
}

/** A shard serves the client. */
export interface OpenEvent {
  /** The pool of shards, such as `mobile`. */
  readonly pool: string;
  /** The name of the shard. */
  readonly shard: string;
  /** The round trip in milliseconds, as the router measured it last. */
  readonly rttMs: number | undefined;
  /** The throughput in kbit/s, as the router measured it last. */
  readonly kbps: number | undefined;
  /** How certain the router was of the pool. */
  readonly confidence: 'high' | 'medium' | 'low';
  /** Goes on where the last connection ended: what changed since follows instead of a snapshot. */
  readonly resumed: boolean;
}

/** The connection went elsewhere; nothing was lost and nothing comes twice. */
export interface MoveEvent extends OpenEvent {
  /** The shard's word (`drain`, `rebalance`, `tooSlow`, `promote`), or `refresh` where the client wanted it. */
  readonly reason: string;
  /** Where the client was before. */
  readonly from: {
    /** Its pool. */
    readonly pool: string | undefined;
    /** Its shard. */
    readonly shard: string | undefined;
  };
}

/** How a connection, or a try of one, ended. */
export interface CloseEvent {
  /** The close code of the WebSocket, one of the protocol's table or another; 1006 where there was none. */
  readonly code: number;
  /** For people; may be empty. */
  readonly reason: string;
}

/**
 * What went wrong.
 *
 * - `NOT_AUTHORISED`, `PROTOCOL_ERROR`, `ORIGIN_REFUSED`, `REFUSED`: the cluster does not want this client, and it is closed;
 * - `CHANNEL_FORBIDDEN`, `CHANNEL_LIMIT`, `CHANNEL_INVALID`: about `channel` alone, which is not subscribed to;
 * - `TOKEN_FAILED`: the application's token function threw, and is asked again later;
 * - `NO_WEBSOCKET`: the runtime has no WebSocket, and the client is closed;
 * - `BAD_URL`: `url` is none, or leads to no WebSocket;
 * - `CLOSED`: the client is closed, and `connect()` opens it;
 * - `INTERNAL`: a fault of the SDK.
 */
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
  /** To compare; the message may change with a version. */
  readonly code: WeirErrorCode;
  /** The channel that it is about, where it is about one. */
  readonly channel: string | undefined;
  /** The close code that led to it, where one did. */
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
  /** For people; may be empty. */
  readonly reason: string;
  /** What ended: fetching a `token`, the visit to the `router`, the way to the `stream`, or an `open` connection. */
  readonly stage: 'token' | 'router' | 'stream' | 'open';
}

/** The events of a client, by the name that `weir.on` takes. */
export interface WeirEvents {
  /** After every connect, but not after a move. */
  readonly open: OpenEvent;
  /** The new status. */
  readonly status: Status;
  /** The client went to another shard without a break. */
  readonly move: MoveEvent;
  /** The client comes back by itself. With no listener the third failure in a row prints one `console.warn`. */
  readonly retry: RetryEvent;
  /** Something that the application must know. With no listener it is printed by `console.error`. */
  readonly error: WeirErrorLike;
  /** When it is over: by `close()`, or by a code that says stop. */
  readonly close: CloseEvent;
}

/** What each channel carries, by its name. */
export type Channels<C> = { readonly [Name in keyof C]: ChannelTypes };

/** A client, as `connect` makes it: one connection at a time, which comes back by itself until `close()`. */
export interface Weir<C extends Channels<C> = Record<string, ChannelTypes>> {
  /** What the connection is doing now; the event `status` tells of changes. */
  readonly status: Status;
  /** What is known of the connection. */
  readonly info: Info;
  /**
   * The channel of that name, always the same object; it is subscribed to by `channels` of `connect` or by its
   * `subscribe()`. Throws CHANNEL_INVALID for what cannot be a name: up to 16 tokens of letters, digits, `-` and `_`,
   * joined by dots, 128 characters in all.
   */
  channel<Name extends keyof C & string>(name: Name): Channel<C[Name]>;
  /** The same for a channel whose name the types of `connect` do not have. */
  channel<T extends ChannelTypes>(name: string): Channel<T>;
  /**
   * Listens, and returns what stops it. What a listener throws surfaces as an uncaught error and disturbs nothing else.
   * Throws a TypeError for an event that does not exist.
   */
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

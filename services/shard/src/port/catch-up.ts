// Catch-up: what a fan-out thread asks for a client, and what the main thread answers.

/** How far one channel of a connection has got while the connection is not live. */
export interface Cursor {
  readonly channel: string;
  readonly stateSeq: number;
  /** The state frames still to come replace what the client has. */
  readonly snapshot: boolean;
  /** Where the state stood when the snapshot began: keys that were deleted before are not in it. 0 without a snapshot. */
  readonly snapshotSeq: number;
  /** A part of a snapshot was sent, and not its end. */
  readonly half: boolean;
  readonly criticalSeq: number;
  /** Of messages up to here the client knows that some are lost. */
  readonly toldSeq?: number | undefined;
  /** Critical messages begin with so many of the newest up to `criticalSeq`. */
  readonly last?: number | undefined;
  /** The client had this channel before: what the snapshot costs is charged to it. */
  readonly again?: boolean;
}

/**
 * What the state of a client that comes back waits for, so that none of it is older than what the client may have from
 * the stream before: a pong proves that the client has read `welcome` and no longer listens to that stream; then this
 * shard must read what the state stream had at that moment.
 */
export type ResumeWait = 'pong' | 'stream' | 'nothing';

/** What a connection that is not live asks for. */
export interface CatchUpRequest {
  /** The connection gets compressed messages. */
  readonly compressed: boolean;
  /** Size of the answer; one value that is larger goes alone. */
  readonly maxBytes: number;
  /** It has all critical messages already, and gets them as they come. */
  readonly criticalLive: boolean;
  readonly cursors: readonly Cursor[];
  /** While it waits for a pong it gets critical messages alone. */
  readonly waitsFor?: ResumeWait;
}

/** Bytes for a client, and where it stands after them. */
export interface CatchUpAnswer {
  readonly bytes: Uint8Array;
  readonly cursors: readonly Cursor[];
  readonly criticalLive: boolean;
  readonly live: boolean;
  /** The request waited for the stream, and the shard has read it. */
  readonly reached?: boolean;
  /** How many of the bytes are of snapshots that the client had before. */
  readonly redrawnBytes?: number;
}

// What crosses from encoding to the fan-out: a tick's frames by channel, built once. Knows no socket and no lane.

/** The frames of one channel, each lane's joined into one run of bytes; empty where there is nothing. */
export interface ChannelFrames {
  readonly critical: Buffer;
  readonly state: Buffer;
  readonly cosmetic: Buffer;
}

/** The frames of a tick, or of critical messages between two ticks. */
export interface Batch {
  readonly channels: ReadonlyMap<string, ChannelFrames>;
  /** State sequence before this batch: where a connection stands that does not get it. */
  readonly fromStateSeq: number;
  /** State sequence after it. */
  readonly stateSeq: number;
}

/** What a connection that is not live asks for, a piece at a time. Answers go up to what was last broadcast. */
export interface CatchUpSource {
  state(request: {
    readonly channel: string;
    readonly sinceSeq: number;
    readonly snapshot: boolean;
    readonly maxPieceBytes: number;
  }): { readonly bytes: Buffer; readonly toSeq: number; readonly done: boolean };
  criticalSince(request: {
    readonly channel: string;
    readonly sinceSeq: number;
    readonly maxPieceBytes: number;
  }): {
    readonly bytes: Buffer;
    readonly toSeq: number;
    readonly done: boolean;
  };
  /** What ends a snapshot of which a part was sent, so that another can begin: a last frame with nothing in it. */
  emptySnapshot(channel: string): Buffer;
  /** State up to here may have been deleted and forgotten: a cursor below it needs a snapshot. */
  stateFloor(channel: string): number;
  /** The newest critical message of the channel that is out of the window; 0 where none is. */
  criticalLostSeq(channel: string): number;
  /** The position of a connection that is live on the channels with these hashes. */
  readonly stateSeq: number;
  readonly criticalSeq: number;
  position(hashes: readonly string[]): string;
}

/** A run of frames in the form for connections that compress, or for those that do not. */
export type Form = (run: Buffer) => Buffer;

const EMPTY = Buffer.alloc(0);

/** Joins frames without a copy where there is one alone. */
export function joined(frames: readonly Buffer[]): Buffer {
  const [first] = frames;
  if (first === undefined) return EMPTY;
  return frames.length === 1 ? first : Buffer.concat(frames);
}

// What the fan-out gets from the main thread: the frames of a tick by channel. Types alone; who reads the bytes of a
// hand-over brings them.

export type FormName = 'plain' | 'compressed';

/** A run of frames as connections that compress understand it. */
export type Form = (run: Buffer) => Buffer;

/** Frames by channel. A place is where the numbers of one channel in one form are. */
export interface Frames {
  readonly bytes: Buffer;
  /** Numbers of the channels that there are frames of. */
  ids(): Iterable<number>;
  /** -1 where there are none. */
  find(id: number, form: FormName): number;
  /** Where in `bytes` its runs begin: critical, then state, then cosmetic. */
  at(place: number): number;
  criticalBytes(place: number): number;
  stateBytes(place: number): number;
  cosmeticBytes(place: number): number;
}

export interface Batch {
  readonly number: number;
  /** Sequences before it: where a connection stands that does not get it. */
  readonly fromStateSeq: number;
  readonly fromCriticalSeq: number;
  /** Sequences after it. */
  readonly stateSeq: number;
  readonly criticalSeq: number;
  readonly stateMs: number;
  readonly criticalMs: number;
  readonly frames: Frames;
}

/** Where a connection that is live stands. */
export interface Heads {
  readonly stateEpoch: string;
  readonly stateSeq: number;
  readonly criticalEpoch: string;
  readonly criticalSeq: number;
  /** When the server stored the message at each sequence, in its milliseconds. */
  readonly stateMs: number;
  readonly criticalMs: number;
}

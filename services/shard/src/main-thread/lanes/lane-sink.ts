// The way of messages into a lane. Intake calls it; what happens between `begin` and `loaded` builds the lane up.
import type { Cleanup } from './state-lane.ts';

/** A message that belongs into a lane. */
export interface Taken {
  readonly channel: string;
  /** Empty outside the state lane. */
  readonly key: string;
  readonly value: string | undefined;
  readonly seq: number;
  readonly timeMs: number;
}

/** What a lane must know of its stream. */
export interface LaneFacts {
  readonly firstSeq: number;
  /** Time of the server up to which shards had another history of the stream, before this one. */
  readonly hadMs: number;
  readonly agesOut: boolean;
  readonly maxPerSubject: number;
  readonly serverNowMs: number;
}

export interface LaneSink {
  begin(epoch: string, facts: LaneFacts): void;
  take(message: Taken): 'stateFull' | undefined;
  /** A message at this place was refused. */
  skip(seq: number, timeMs: number): void;
  /** A mark of a clean-up of the state stream. */
  cleanedUp?(mark: Cleanup, timeMs: number): void;
  loaded(seq: number): void;
  /** Time of the server up to which clients may have had everything. */
  readonly hadMs?: () => number;
  /** The newest of what `cleanedUp` was told. */
  readonly removals?: () => Cleanup | undefined;
  /** What was taken after a sequence, where the newest of each key is kept; without a value where it is a deletion. */
  readonly after?: (seq: number) => Iterable<Pick<Taken, 'channel' | 'key' | 'seq' | 'value'>>;
  /** What there is of a key, where the newest of each is kept. */
  readonly has?: (channel: string, key: string) => 'value' | 'deletion' | undefined;
  /** Whether all values have found room. */
  readonly isWhole?: () => boolean;
}

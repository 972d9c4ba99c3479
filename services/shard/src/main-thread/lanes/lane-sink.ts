// The one way of messages into a lane. Intake calls it; what happens between `begin` and `loaded` builds the lane up,
// what comes after `loaded` is news.
import type { CheckedMessage, Message } from './message.ts';
import type { Cleanup } from './state-lane.ts';

/** What a lane must know of its stream. */
export interface LaneFacts {
  readonly firstSeq: number;
  /** Time of the server up to which shards had another history of the stream, before this one. */
  readonly hadMs: number;
  readonly agesOut: boolean;
  readonly maxPerSubject: number;
  readonly serverNowMs: number;
}

/** Whether the stream had a message of the subject before, as far as its reader knows. */
export type Newness = 'known' | 'new' | 'unclear';

export interface LaneSink {
  begin(epoch: string, facts: LaneFacts): void;
  /** Takes a message, and says whether its subject is a new one; `full` if there is no room for it. */
  take(message: CheckedMessage): Newness | 'full';
  /** A message at this place was refused. */
  skip(message: Message): void;
  /** Messages up to `upToSeq` are gone unread, of these channels or of any. What comes next is after them. */
  lost?(upToSeq: number, channels: readonly string[] | undefined): void;
  /**
   * How many messages of each channel a stream must still have that has lost none but by its limits, without those that
   * were told as lost.
   */
  owed?(facts: Pick<LaneFacts, 'firstSeq' | 'serverNowMs'>): ReadonlyMap<string, number>;
  /** A mark of a clean-up of the state stream. */
  cleanedUp?(mark: Cleanup, timeMs: number): Newness;
  /** Everything up to `seq` has been read. */
  loaded(seq: number): void;
  /** Time of the server, in milliseconds, up to which clients may have had everything. */
  readonly hadMs?: () => number;
  /** Another shard says that its clients had everything up to this time of the server. */
  hadUpTo?(hadMs: number): void;
  /** The newest mark that `cleanedUp` was given. */
  readonly removals?: () => Cleanup | undefined;
  /** What the lane holds, if it keeps the newest message of each key. */
  readonly held?: HeldKeys;
}

/** The newest message of each key. */
export interface HeldKeys {
  /** Those after a sequence; a deletion has no value. */
  after(seq: number): Iterable<Pick<CheckedMessage, 'channel' | 'key' | 'seq' | 'value'>>;
  /** What the lane has of a key; undefined if it has nothing. */
  has(channel: string, key: string): 'value' | 'deletion' | undefined;
  /** Whether all values have found room. */
  isWhole(): boolean;
}

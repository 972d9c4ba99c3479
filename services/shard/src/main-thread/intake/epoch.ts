// Whether a stream is still the one that this shard has read. Pure decisions on what the server says.

/** What the server says of a stream. */
export interface StreamFacts {
  readonly createdMs: number;
  /** Counter in the stream's metadata that is raised where sequences went back without a new creation time. */
  readonly generation: number;
  /**
   * Time of the server, in milliseconds, up to which shards had the history that this one replaced, as the stream's
   * metadata say: an older message may have been sent to clients already. 0 if no shard wrote it.
   */
  readonly hadMs: number;
  readonly firstSeq: number;
  readonly lastSeq: number;
  /** Messages in the stream; undefined if they age out, because then fewer of them prove nothing. */
  readonly messages: number | undefined;
  /** Subjects that the stream has messages of. */
  readonly subjects: number;
  /** Messages go by themselves when they are old enough. */
  readonly agesOut: boolean;
  /** Messages that the stream keeps for each subject. */
  readonly maxPerSubject: number;
  /** The server's wall clock when it said so. */
  readonly serverNowMs: number;
}

/** What the shard knows of the stream so far. */
export interface KnownStream {
  readonly createdMs: number;
  readonly generation: number;
  /** Newest sequence that the shard has read. */
  readonly seq: number;
}

/** `raise`: the stream went back in time under the same creation time; its generation must be raised. */
export type EpochVerdict = 'same' | 'recreated' | 'otherGeneration' | 'raise';

/** Compares what the shard knows with what the server says. */
export function judgeEpoch(
  known: KnownStream,
  facts: Pick<StreamFacts, 'createdMs' | 'generation' | 'lastSeq'>,
): EpochVerdict {
  if (facts.createdMs !== known.createdMs) return 'recreated';
  if (facts.generation > known.generation) return 'otherGeneration';
  if (facts.generation < known.generation || facts.lastSeq < known.seq) return 'raise';
  return 'same';
}

/** Whether an epoch began after another one; false if one of them is no name that `epochName` makes. */
export function isLaterEpoch(one: string, other: string): boolean {
  const [oneMs, oneGeneration] = partsOf(one);
  const [otherMs, otherGeneration] = partsOf(other);
  return oneMs > otherMs || (oneMs === otherMs && oneGeneration > otherGeneration);
}

function partsOf(epoch: string): readonly [createdMs: number, generation: number] {
  const [created = '', generation] = epoch.split('-');
  if (generation === undefined) return [Number.NaN, Number.NaN];
  return [Number.parseInt(created, 36), Number.parseInt(generation, 36)];
}

/** The name of an epoch, the same on every shard: creation time and generation. */
export function epochName(facts: Pick<StreamFacts, 'createdMs' | 'generation'>): string {
  return `${Math.trunc(facts.createdMs).toString(36)}-${facts.generation.toString(36)}`;
}

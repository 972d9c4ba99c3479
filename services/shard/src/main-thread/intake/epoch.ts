// Trust, but verify: whether a stream is still the one that we know. Pure decisions on what the server says.

/** What the server says of a stream. */
export interface StreamFacts {
  readonly createdMs: number;
  /** Counter in the stream's metadata that is raised where sequences went back without a new creation time. */
  readonly generation: number;
  readonly firstSeq: number;
  readonly lastSeq: number;
  /** Messages in the stream; nothing where they age out, so that fewer of them mean nothing. */
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

/** What we know of the stream so far. */
export interface KnownStream {
  readonly createdMs: number;
  readonly generation: number;
  /** Newest sequence that we have had. */
  readonly seq: number;
}

/** `raise`: the stream went back in time under the same creation time; its generation must be raised. */
export type EpochVerdict = 'same' | 'recreated' | 'otherGeneration' | 'raise';

/** Compares what we know with what the server says. */
export function judgeEpoch(
  known: KnownStream,
  facts: Pick<StreamFacts, 'createdMs' | 'generation' | 'lastSeq'>,
): EpochVerdict {
  if (facts.createdMs !== known.createdMs) return 'recreated';
  if (facts.generation > known.generation) return 'otherGeneration';
  if (facts.generation < known.generation || facts.lastSeq < known.seq) return 'raise';
  return 'same';
}

/** The name of an epoch, the same on every shard: creation time and generation. */
export function epochName(facts: Pick<StreamFacts, 'createdMs' | 'generation'>): string {
  return `${Math.trunc(facts.createdMs).toString(36)}-${facts.generation.toString(36)}`;
}

// The mark that a clean-up of deletions leaves in the state stream, under a subject that is no key. A shard that loads
// the stream learns from it what is no longer there: a position below `floorSeq` may lack a deletion.

/** What was removed from the stream so far. */
export interface CleanupMark {
  /** No deletion after this sequence was removed. */
  readonly floorSeq: number;
  /** Names one run of one control: `removed` counts from its beginning. */
  readonly run: string;
  readonly removed: number;
  /** More are being removed at this moment, up to `floorSeq`. */
  readonly busy: boolean;
}

/** All marks have this length: a stream that is full takes only what is no larger than before. */
const MARK_BYTES = 120;

/** The payload of a mark. */
export function encodeCleanupMark({ floorSeq, run, removed, busy }: CleanupMark): string {
  return JSON.stringify({ floorSeq, run, removed, busy }).padEnd(MARK_BYTES);
}

/** Nothing where it is not one: the subject is anybody's. */
export function decodeCleanupMark(data: Uint8Array): CleanupMark | undefined {
  if (data.length > MARK_BYTES) return undefined;
  try {
    const { floorSeq, run, removed, busy }: Record<string, unknown> = Object(
      JSON.parse(Buffer.from(data).toString('latin1')),
    );
    if (!isCount(floorSeq) || !isCount(removed)) return undefined;
    if (typeof run !== 'string' || typeof busy !== 'boolean') return undefined;
    return { floorSeq, run, removed, busy };
  } catch {
    return undefined;
  }
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}

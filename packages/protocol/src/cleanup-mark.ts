// The mark that a clean-up of deletions leaves in the state stream, under a subject that is not a key. From it a shard
// that loads the stream knows that a position below `floorSeq` may lack a removed deletion.

/** The removals from the stream so far. */
export interface CleanupMark {
  /** No deletion after this sequence was removed. */
  readonly floorSeq: number;
  /** Name of one run of one control: `removed` counts from its start. */
  readonly run: string;
  readonly removed: number;
  /** Whether a clean-up is running now, up to `floorSeq`. */
  readonly busy: boolean;
}

/** Length of every mark: a full stream accepts a message only if it is no larger than the one it replaces. */
const MARK_BYTES = 120;

/** The payload of a mark. */
export function encodeCleanupMark({ floorSeq, run, removed, busy }: CleanupMark): string {
  return JSON.stringify({ floorSeq, run, removed, busy }).padEnd(MARK_BYTES);
}

/** Parses a mark; undefined if it is not one, because any publisher may use the subject. */
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

// Finds one file in a tar archive in memory. Pure; reads only plain files and follows no link.

const BLOCK = 512;
const NAME_BYTES = 100;
const SIZE_AT = 124;
const SIZE_BYTES = 12;
const TYPE_AT = 156;
/** '0', and NUL in archives from before 1988. */
const PLAIN_FILE = new Set([0x30, 0]);

/** The bytes of the first plain file whose last path part is `name`; undefined if there is none, or it is truncated. */
export function fileOfTar(tar: Buffer, name: string): Buffer | undefined {
  for (let at = 0; at + BLOCK <= tar.length; ) {
    const header = tar.subarray(at, at + BLOCK);
    if (header[0] === 0) return undefined; // the archive ends with empty blocks
    const size = Number.parseInt(text(header.subarray(SIZE_AT, SIZE_AT + SIZE_BYTES)), 8);
    if (!Number.isSafeInteger(size) || size < 0) return undefined;
    const from = at + BLOCK;
    if (
      PLAIN_FILE.has(header[TYPE_AT] ?? 1) &&
      text(header.subarray(0, NAME_BYTES)).split('/').at(-1) === name
    )
      return from + size <= tar.length ? tar.subarray(from, from + size) : undefined;
    at = from + Math.ceil(size / BLOCK) * BLOCK;
  }
  return undefined;
}

function text(field: Buffer): string {
  const end = field.indexOf(0);
  return field.toString('latin1', 0, end < 0 ? field.length : end).trim();
}

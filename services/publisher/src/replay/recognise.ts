// Recognises an input by its first bytes: lines, packed lines, or another known format. Ignores file names. Pure.

/** How to read the input; `skip` is the length of a byte order mark. */
export type Recognised =
  | { readonly form: 'plain'; readonly skip: number }
  | { readonly form: 'gzip' | 'zstd' }
  | { readonly problem: string };

/** Number of required bytes. Formats with a later mark are recognised if enough bytes have come. */
export const recognisedBytes = 6;

interface Other {
  readonly name: string;
  /** The mark, as hex. */
  readonly mark: string;
  readonly at?: number;
  /** A command that turns it into plain lines. */
  readonly command: string;
}

const others: readonly Other[] = [
  { name: 'bzip2', mark: '425a68', command: 'bzip2 -dc' },
  { name: 'xz', mark: 'fd377a585a00', command: 'xz -dc' },
  { name: 'lz4', mark: '04224d18', command: 'lz4 -dc' },
  { name: 'lzip', mark: '4c5a4950', command: 'lzip -dc' },
  { name: 'compress (.Z)', mark: '1f9d', command: 'gzip -dc' },
  { name: 'a zip archive', mark: '504b0304', command: 'unzip -p' },
  { name: 'a 7z archive', mark: '377abcaf271c', command: '7z x -so' },
  { name: 'a tar archive', mark: '7573746172', at: 257, command: 'tar -xOf' },
  // UTF-32 first: its little-endian mark begins like that of UTF-16.
  { name: 'UTF-32', mark: 'fffe0000', command: 'iconv -f UTF-32 -t UTF-8' },
  { name: 'UTF-32', mark: '0000feff', command: 'iconv -f UTF-32 -t UTF-8' },
  { name: 'UTF-16', mark: 'fffe', command: 'iconv -f UTF-16 -t UTF-8' },
  { name: 'UTF-16', mark: 'feff', command: 'iconv -f UTF-16 -t UTF-8' },
];

/** Recognises an input by its first bytes; `where` is its name, `path` is missing for standard input. */
export function recognise(
  first: Buffer,
  { where, path }: { readonly where: string; readonly path: string | undefined },
): Recognised {
  if (startsWith(first, '1f8b')) return { form: 'gzip' };
  // A frame, or one of the skippable frames that parallel packers put in front.
  if (startsWith(first, '28b52ffd') || /^5.2a4d18/.test(first.toString('hex', 0, 4))) return { form: 'zstd' };
  const other = others.find(({ mark, at = 0 }) => startsWith(first.subarray(at), mark)) ?? unmarked(first);
  if (other === undefined) return { form: 'plain', skip: startsWith(first, 'efbbbf') ? 3 : 0 };
  return { problem: `${where} is ${other.name}, not lines of UTF-8: ${through(other.command, path)}` };
}

/** `bzip2 -dc FILE | weir-publish replay -`: the command to use instead. */
export function through(command: string, path: string | undefined): string {
  const quoted = path === undefined || /^[\w./-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
  return `${command}${quoted === undefined ? '' : ` ${quoted}`} | weir-publish replay -`;
}

/** Formats without a mark that cannot be a line. */
function unmarked(first: Buffer): Pick<Other, 'name' | 'command'> | undefined {
  const [a, b, c, d] = first;
  if (d === undefined) return undefined;
  if (a !== 0 && b === 0 && c !== 0 && d === 0)
    return { name: 'UTF-16', command: 'iconv -f UTF-16LE -t UTF-8' };
  if (a === 0 && b !== 0 && c === 0 && d !== 0)
    return { name: 'UTF-16', command: 'iconv -f UTF-16BE -t UTF-8' };
  const text = first.toString('latin1').replace(/^\xef\xbb\xbf/, '');
  if (/^[ \t\r\n]*\[/.test(text)) return { name: 'one JSON array', command: "jq -c '.[]'" };
  return undefined;
}

function startsWith(bytes: Buffer, hex: string): boolean {
  return bytes.toString('hex', 0, hex.length / 2) === hex;
}

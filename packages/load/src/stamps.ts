// Stamps that `weir-load` publishes and finds in received frames: `{"weirLoad":<ms since 1970>}`, in critical messages
// with a number and the name of its sequence, `"n":7,"run":"k3x","series":0`.
// It searches the bytes: parsing every frame of thousands of clients would measure the parser.

const MARK = Buffer.from('"weirLoad":');
const ZERO = 0x30;
const NINE = 0x39;

/** A place in a sequence of critical messages. */
export interface Place {
  /** From 1. */
  readonly n: number;
  /** The publisher: several may publish to one channel. */
  readonly run: string;
  /** Rises where the sequence is broken: a message may not have been kept. */
  readonly series: number;
}

/** The data of a message; critical messages have a place. */
export function stamp(wallMs: number, place?: Place): { readonly weirLoad: number } & Partial<Place> {
  return place === undefined ? { weirLoad: wallMs } : { weirLoad: wallMs, ...place };
}

/** Calls `found` with the time of each stamp in a frame. */
export function eachStamp(frame: Buffer, found: (wallMs: number) => void): void {
  for (let at = frame.indexOf(MARK); at >= 0; at = frame.indexOf(MARK, at)) {
    at += MARK.length;
    let ms = 0;
    for (let digit = frame[at] ?? 0; digit >= ZERO && digit <= NINE; digit = frame[++at] ?? 0)
      ms = ms * 10 + (digit - ZERO);
    found(ms);
  }
}

/** The place in a critical message's data; undefined for other publishers' messages. */
export function placeOf(data: unknown): Place | undefined {
  if (typeof data !== 'object' || data === null || !('weirLoad' in data) || !('n' in data)) return undefined;
  const { n } = data;
  const run = 'run' in data ? data.run : '';
  const series = 'series' in data ? data.series : 0;
  const fits = typeof n === 'number' && typeof run === 'string' && typeof series === 'number';
  return fits ? { n, run, series } : undefined;
}

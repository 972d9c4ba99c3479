// Stamps that `weir-load` publishes and finds in received frames: `{"weirLoad":<ms since 1970>,"n":<number>}`.
// It searches the bytes: parsing every frame of thousands of clients would measure the parser.

const MARK = Buffer.from('"weirLoad":');
const ZERO = 0x30;
const NINE = 0x39;

/** The data of a message; `n` counts critical messages from 1. */
export function stamp(wallMs: number, n?: number): { readonly weirLoad: number; readonly n?: number } {
  return n === undefined ? { weirLoad: wallMs } : { weirLoad: wallMs, n };
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

/** The number in a critical message's data; undefined for other publishers' messages. */
export function numberOf(data: unknown): number | undefined {
  if (typeof data !== 'object' || data === null || !('weirLoad' in data) || !('n' in data)) return undefined;
  return typeof data.n === 'number' ? data.n : undefined;
}

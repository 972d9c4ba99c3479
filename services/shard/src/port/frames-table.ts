// The bytes of a hand-over: a table of channels, then their frames; written once by the main thread, read where they
// are by a fan-out thread. Knows no socket and no lane.
//
//   row:  channel number | plain: at, critical, state, cosmetic | compressed: at, critical, state, cosmetic
//                          (`at` is where the runs of that form begin, one behind the other; then their lengths)

const ROW_WORDS = 9;
const WORD_BYTES = 4;
/** Where a form's numbers begin in a row. */
const FORM_AT = { plain: 1, compressed: 5 } as const;
export type FormName = keyof typeof FORM_AT;

/** A run of frames as connections that compress understand it, or as those that do not. */
export type Form = (run: Buffer) => Buffer;

/** One channel's frames in one form, each lane's joined into one run; empty if the lane has nothing. */
export interface Runs {
  readonly critical: Buffer;
  readonly state: Buffer;
  readonly cosmetic: Buffer;
}

export interface Row {
  readonly id: number;
  readonly plain: Runs | undefined;
  readonly compressed: Runs | undefined;
}

/** Copies all rows into one buffer of its own, which can be transferred. */
export function packFrames(rows: readonly Row[]): ArrayBuffer {
  let size = rows.length * ROW_WORDS * WORD_BYTES;
  for (const { plain, compressed } of rows) size += sizeOf(plain) + sizeOf(compressed);
  // Not filled with zeros first: every byte is written below.
  const bytes = Buffer.allocUnsafeSlow(size);
  const table = new Uint32Array(bytes.buffer, 0, rows.length * ROW_WORDS);
  let at = table.byteLength;
  let word = 0;
  const put = (runs: Runs | undefined): void => {
    table[word] = at;
    table[word + 1] = runs?.critical.length ?? 0;
    table[word + 2] = runs?.state.length ?? 0;
    table[word + 3] = runs?.cosmetic.length ?? 0;
    word += 4;
    if (runs === undefined) return;
    for (const run of [runs.critical, runs.state, runs.cosmetic]) {
      bytes.set(run, at);
      at += run.length;
    }
  };
  for (const { id, plain, compressed } of rows) {
    table[word++] = id;
    put(plain);
    put(compressed);
  }
  return bytes.buffer as ArrayBuffer;
}

function sizeOf(runs: Runs | undefined): number {
  return runs === undefined ? 0 : runs.critical.length + runs.state.length + runs.cosmetic.length;
}

/** Reads a hand-over's bytes without a copy. A place is where the numbers of one channel and form are. */
export class FramesTable {
  readonly bytes: Buffer;
  readonly #table: Uint32Array;
  readonly #rows = new Map<number, number>();

  constructor(bytes: ArrayBuffer, rows: number) {
    this.bytes = Buffer.from(bytes);
    this.#table = new Uint32Array(bytes, 0, rows * ROW_WORDS);
    for (let word = 0; word < this.#table.length; word += ROW_WORDS)
      this.#rows.set(this.#table[word] ?? 0, word);
  }

  /** Numbers of the channels that it has frames of. */
  ids(): IterableIterator<number> {
    return this.#rows.keys();
  }

  /** The place of a channel's frames in a form; -1 if there are none. */
  find(id: number, form: FormName): number {
    const word = this.#rows.get(id);
    return word === undefined ? -1 : word + FORM_AT[form];
  }

  at(place: number): number {
    return this.#table[place] ?? 0;
  }

  criticalBytes(place: number): number {
    return this.#table[place + 1] ?? 0;
  }

  stateBytes(place: number): number {
    return this.#table[place + 2] ?? 0;
  }

  cosmeticBytes(place: number): number {
    return this.#table[place + 3] ?? 0;
  }
}

// Owns the last line of a terminal: a line that changes, below lines that stay. Everything that goes to the terminal must
// go through `write`, in whole lines.

const ERASE_LINE = '\r\u001b[2K';

export interface LiveLineOptions {
  readonly write: (text: string) => void;
  /** The width now: a person may change the size of the window. */
  readonly columns: () => number;
}

export class LiveLine {
  readonly #options: LiveLineOptions;
  #text: ((columns: number) => string) | undefined;

  constructor(options: LiveLineOptions) {
    this.#options = options;
  }

  /** Writes whole lines above the live one. */
  write(lines: string): void {
    this.#options.write(this.#text === undefined ? lines : `${ERASE_LINE}${lines}${this.#drawn()}`);
  }

  /** Replaces the live line; `text` gets the width that it may fill. */
  show(text: (columns: number) => string): void {
    this.#text = text;
    this.#options.write(`${ERASE_LINE}${this.#drawn()}`);
  }

  /** Removes the live line, so that what follows begins where it was. */
  hide(): void {
    if (this.#text !== undefined) this.#options.write(ERASE_LINE);
    this.#text = undefined;
  }

  /** One column stays free: in the last one some terminals begin a new line. */
  #drawn(): string {
    return this.#text?.(this.#options.columns() - 1) ?? '';
  }
}

/** Whether the output can erase a line: it is a terminal, and not a dumb one. NO_COLOR is about colours alone. */
export function canShowLiveLine(
  output: { readonly isTTY?: boolean },
  env: { readonly [name: string]: string | undefined },
): boolean {
  return output.isTTY === true && env['TERM'] !== 'dumb';
}

// Comma-separated values as records: the first line or the caller names the columns, each further line is an object. A
// cell that is a JSON number stays one, byte for byte; an empty cell is null; all else is text. Quotes as in RFC 4180,
// within one line.
import { isUtf8 } from 'node:buffer';
import type { Problem } from '../parse/message.ts';
import { InputError } from './input-error.ts';
import type { Line } from './read-lines.ts';

/**
 * Programs write exponents with a sign or behind a point (1e-05, 1.0E10). 3E1234 is an address of an aircraft, and as a
 * number it would be infinite.
 */
const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+(?:[eE][+-]?\d+)?|[eE][+-]\d+)?$/;
const CELL = /("(?:[^"]|"")*"|[^",]*)(,|$)/y;
/** Largest number of columns. */
export const maxColumns = 1_000;
const hint = ': if it is a record already, name them with --columns a,b,c';
/** To decode other bytes would put other characters in their place. */
const notUtf8 = 'is not valid UTF-8: another encoding must be converted first (iconv -f LATIN1 -t UTF-8)';

/** One file's columns and how its lines become records. */
export class CsvRecords {
  /** The columns' names as JSON. */
  #names: readonly string[] = [];
  readonly #given: boolean;

  /** `columns`: their names, for a file without a line of names. */
  constructor(columns?: readonly string[]) {
    this.#given = columns !== undefined;
    this.#names = (columns ?? []).map((name) => JSON.stringify(name));
  }

  /** The lines of records: all, or those after the first, which has the names. */
  async *lines(source: AsyncIterable<Line>): AsyncGenerator<Line> {
    let isFirst = !this.#given;
    for await (const line of source) {
      if (isFirst) this.#takeNames(line.bytes);
      else yield line;
      isFirst = false;
    }
  }

  /** The record of a line, as JSON. */
  record(line: Buffer): { readonly value: Buffer } | { readonly problem: Problem } {
    if (!isUtf8(line)) return { problem: { code: 'NOT_UTF8', message: `the line ${notUtf8}` } };
    const cells = cellsOf(line);
    const found =
      cells === undefined
        ? 'a quote that is not closed in its line'
        : `${cells.length} cell${cells.length === 1 ? '' : 's'}`;
    if (cells === undefined || cells.length !== this.#names.length) {
      const who = this.#given ? '--columns' : 'the first line';
      const message = `the line has ${found}; ${who} names ${this.#names.length} column${this.#names.length === 1 ? '' : 's'}`;
      return { problem: { code: 'NOT_AN_OBJECT', message } };
    }
    const members = cells.map((cell, at) => `${this.#names[at]}:${jsonOf(cell)}`);
    return { value: Buffer.from(`{${members.join(',')}}`) };
  }

  #takeNames(bytes: Buffer | undefined): void {
    if (bytes !== undefined && !isUtf8(bytes)) throw new InputError(`the first line ${notUtf8}`);
    const names = bytes === undefined ? undefined : cellsOf(bytes)?.map(({ text }) => text);
    if (names === undefined || names.length > maxColumns || names.some((name) => name === ''))
      throw new InputError(`the first line does not name the columns${hint}`);
    const number = names.find((name) => NUMBER.test(name));
    if (number !== undefined)
      throw new InputError(`the first line does not name the columns, it has the number ${number}${hint}`);
    if (new Set(names).size < names.length)
      throw new InputError(`the first line names a column twice${hint}`);
    this.#names = names.map((name) => JSON.stringify(name));
  }
}

interface Cell {
  readonly text: string;
  readonly quoted: boolean;
}

/** Undefined if a quote is not closed, or is in the middle of a cell. */
function cellsOf(line: Buffer): readonly Cell[] | undefined {
  const text = line.toString('utf8').replace(/\r$/, '');
  const cells: Cell[] = [];
  CELL.lastIndex = 0;
  for (;;) {
    const [, cell, end] = CELL.exec(text) ?? [];
    if (cell === undefined) return undefined;
    const quoted = cell.startsWith('"');
    cells.push({ text: quoted ? cell.slice(1, -1).replaceAll('""', '"') : cell, quoted });
    if (end === '') return cells;
  }
}

function jsonOf({ text, quoted }: Cell): string {
  if (quoted) return JSON.stringify(text);
  if (text === '') return 'null';
  return NUMBER.test(text) ? text : JSON.stringify(text);
}

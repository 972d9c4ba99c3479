// The last hour as columns of numbers, one row after the other. Bounded: a fixed number of steps, of columns a name, and of names.

/** Numbers by name, one of each column; a step that is missing is NaN. */
export type Row<C extends string> = Readonly<Record<C, number>>;

interface Kept {
  readonly columns: readonly Float32Array[];
  lastStep: number;
}

export class History<C extends string> {
  readonly #columns: readonly C[];
  readonly #size: number;
  readonly #maxNames: number;
  readonly #kept = new Map<string, Kept>();
  #step = -1;

  constructor(o: { readonly columns: readonly C[]; readonly size: number; readonly maxNames: number }) {
    this.#columns = o.columns;
    this.#size = o.size;
    this.#maxNames = o.maxNames;
  }

  /** Steps that there are values of. */
  get length(): number {
    return Math.min(this.#step + 1, this.#size);
  }

  get names(): readonly string[] {
    return [...this.#kept.keys()];
  }

  /** Adds one step. Names beyond the limit have no history. */
  add(rows: ReadonlyMap<string, Row<C>>): void {
    this.#step += 1;
    const at = this.#step % this.#size;
    for (const [name, row] of rows) {
      const kept = this.#kept.get(name) ?? this.#begin(name);
      if (kept === undefined) continue;
      kept.lastStep = this.#step;
      for (const [place, column] of this.#columns.entries()) write(kept, place, at, row[column]);
    }
    for (const [name, kept] of this.#kept) {
      if (kept.lastStep === this.#step) continue;
      if (this.#step - kept.lastStep >= this.#size) this.#kept.delete(name);
      else for (const place of this.#columns.keys()) write(kept, place, at, Number.NaN);
    }
  }

  /** The columns of a name, oldest first; undefined if it has none. */
  of(name: string): Readonly<Record<C, readonly (number | null)[]>> | undefined {
    const kept = this.#kept.get(name);
    if (kept === undefined) return undefined;
    const columns = this.#columns.map((column, place) => [column, this.#ordered(kept.columns[place])]);
    return Object.fromEntries(columns) as Record<C, readonly (number | null)[]>;
  }

  /** The sum of one column of a name. */
  sum(name: string, column: C, lastSteps: number = this.#size): number {
    const values = this.#kept.get(name)?.columns[this.#columns.indexOf(column)];
    if (values === undefined) return 0;
    let sum = 0;
    for (let i = 0; i < Math.min(lastSteps, this.length); i++) {
      const value = values[(this.#step - i) % this.#size] ?? Number.NaN;
      if (!Number.isNaN(value)) sum += value;
    }
    return sum;
  }

  #begin(name: string): Kept | undefined {
    if (this.#kept.size >= this.#maxNames && !this.#dropOldest()) return undefined;
    const columns = this.#columns.map(() => new Float32Array(this.#size).fill(Number.NaN));
    const kept: Kept = { columns, lastStep: this.#step };
    this.#kept.set(name, kept);
    return kept;
  }

  /** Makes room by the name that has been gone the longest; a name that is there stays. */
  #dropOldest(): boolean {
    let oldest: readonly [string, Kept] | undefined;
    for (const one of this.#kept)
      if (one[1].lastStep < this.#step - 1 && one[1].lastStep < (oldest?.[1].lastStep ?? this.#step))
        oldest = one;
    if (oldest !== undefined) this.#kept.delete(oldest[0]);
    return oldest !== undefined;
  }

  #ordered(values: Float32Array | undefined): readonly (number | null)[] {
    const length = this.length;
    const ordered: (number | null)[] = [];
    for (let i = length - 1; i >= 0; i--) ordered.push(short(values?.[(this.#step - i) % this.#size]));
    return ordered;
  }
}

function write(kept: Kept, place: number, at: number, value: number): void {
  const column = kept.columns[place];
  if (column !== undefined) column[at] = value;
}

/** Four digits are as many as a chart shows. */
function short(value = Number.NaN): number | null {
  return Number.isNaN(value) ? null : Number(value.toPrecision(4));
}

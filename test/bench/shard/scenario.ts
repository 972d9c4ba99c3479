// The form of a scenario: a scale goes in, a table and goals come out. Nothing here measures.

/** The size of a run, and a function for its progress. */
export interface Scale {
  readonly clients: number;
  readonly seconds: number;
  readonly rounds: number;
  readonly say: (line: string) => void;
}

/** One line of a table: names to numbers. */
export type Row = Readonly<Record<string, string | number>>;

/** A number with the limit that it must not exceed (or must reach). */
export interface Goal {
  readonly what: string;
  readonly value: number;
  readonly bound: 'at most' | 'at least';
  readonly limit: number;
  readonly met: boolean;
}

/** The result of a scenario's run. */
export interface Outcome {
  readonly rows: readonly Row[];
  readonly goals: readonly Goal[];
  /** Numbers over time, only for the JSON. */
  readonly series?: Readonly<Record<string, readonly Row[]>>;
}

/** The size of a run. */
export type Size = Pick<Scale, 'clients' | 'seconds' | 'rounds'>;

export interface Scenario {
  readonly about: string;
  /** The size at which the goals apply. */
  readonly full: Size;
  /** A size that shows only that the scenario works. */
  readonly quick: Size;
  run(scale: Scale): Promise<Outcome>;
}

/** A goal; a value that could not be measured misses it. */
export function goal(what: string, value: number, bound: Goal['bound'], limit: number): Goal {
  const met = Number.isFinite(value) && (bound === 'at most' ? value <= limit : value >= limit);
  return { what, value: round(value, 3), bound, limit, met };
}

export function round(value: number, digits = 2): number {
  return Number(value.toFixed(digits));
}

/** A quantile of a sorted list; NaN if it is empty. */
export function quantile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const upper = quantile(sorted, 0.5);
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[sorted.length / 2 - 1] ?? Number.NaN)) / 2;
}

export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

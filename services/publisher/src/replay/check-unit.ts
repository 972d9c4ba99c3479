// Checks whether a recording's times fit the unit in which they are read. Pure; its verdicts are guesses and say so.

/** Units of `"t"`. */
export const units = ['s', 'ms', 'us', 'ns'] as const;
export type Unit = (typeof units)[number];

export const msPerUnit: Readonly<Record<Unit, number>> = { s: 1_000, ms: 1, us: 1e-3, ns: 1e-6 };

const names: Readonly<Record<Unit, string>> = {
  s: 'seconds',
  ms: 'milliseconds',
  us: 'microseconds',
  ns: 'nanoseconds',
};

const dayMs = 86_400_000;
/** 2001 to 2096: in these years the four units of time since 1970 cannot be confused. */
const sinceMs = { from: 1e12, to: 4e12 } as const;
/** Bursts are common, above all at the start: the rate is checked over this many lines, or over all. */
const rateLines = 10_000;
const fewestForRate = 10;
/** Lines after which the pauses are checked; they are also checked at the end. */
const pauseLooks: readonly number[] = [10, 100];
const fewestForPauses = 3;
const mostPauses = 100;

/** Thresholds of a warning: stricter without a stated unit. */
const odd = {
  assumed: { linesPerSecond: 1_000, pauseMs: 60_000, pause: 'a minute' },
  stated: { linesPerSecond: 1e6, pauseMs: dayMs, pause: 'a day' },
} as const;

/** The verdict of a check; a refusal comes before the first message is sent. */
export type UnitDoubt = { readonly refusal: string } | { readonly warning: string };

/** Checks the times of a recording as they come; returns at most one verdict. */
export class UnitCheck {
  readonly #unit: Unit;
  readonly #stated: boolean;
  readonly #pausesMs: number[] = [];
  #lines = 0;
  #firstMs = 0;
  #lastMs = 0;
  #done = false;

  /** `stated`: whether the caller gave the unit, or it is the default. */
  constructor({ unit, stated }: { readonly unit: Unit; readonly stated: boolean }) {
    this.#unit = unit;
    this.#stated = stated;
  }

  /** The next message's time, in the unit. */
  look(t: number): UnitDoubt | undefined {
    if (this.#done) return undefined;
    const atMs = t * msPerUnit[this.#unit];
    this.#lines += 1;
    if (this.#lines === 1) {
      this.#firstMs = this.#lastMs = atMs;
      return this.#first(t);
    }
    if (atMs > this.#lastMs && this.#pausesMs.length < mostPauses) this.#pausesMs.push(atMs - this.#lastMs);
    this.#lastMs = atMs;
    if (pauseLooks.includes(this.#lines)) return this.#say(this.#pauses());
    if (this.#lines < rateLines) return undefined;
    const doubt = this.#say(this.#rate());
    this.#done = true;
    return doubt;
  }

  /** Call it at the end of the recording. */
  end(): UnitDoubt | undefined {
    if (this.#done) return undefined;
    const doubt = this.#say(this.#pauses() ?? this.#rate());
    this.#done = true;
    return doubt;
  }

  #say(warning: string | undefined): UnitDoubt | undefined {
    if (warning === undefined) return undefined;
    this.#done = true;
    return { warning };
  }

  /** The size of a time since 1970 shows its unit. */
  #first(t: number): UnitDoubt | undefined {
    const unit = this.#unit;
    const other = units.find((one) => isSince1970(t * msPerUnit[one]));
    if (other === undefined || other === unit || t * msPerUnit[unit] < dayMs) return undefined;
    this.#done = true;
    const date = new Date(t * msPerUnit[other]).toISOString().slice(0, 10);
    const looks = `"t" is ${t}, which looks like ${names[other]} since 1970 (${date}), not like ${names[unit]}`;
    return this.#stated
      ? { warning: `${looks}, as --unit ${unit} says` }
      : { refusal: `${looks}: say --unit ${other}, or --unit ${unit} if it is right` };
  }

  #pauses(): string | undefined {
    if (this.#lines < fewestForPauses || this.#pausesMs.length < fewestForPauses - 1) return undefined;
    const sorted = [...this.#pausesMs].sort((a, b) => a - b);
    const medianMs = sorted[Math.floor(sorted.length / 2)] ?? 0;
    if (medianMs <= this.#odd.pauseMs) return undefined;
    const finer = units.slice(units.indexOf(this.#unit) + 1).map((unit) => `--unit ${unit}`);
    if (finer.length === 0) return undefined;
    return `most pauses of the recording are longer than ${this.#odd.pause} in ${names[this.#unit]}; if "t" is in a finer unit, say ${finer.join(' or ')}`;
  }

  #rate(): string | undefined {
    const spanMs = this.#lastMs - this.#firstMs;
    if (this.#lines < fewestForRate || spanMs <= 0) return undefined;
    const perSecond = ((this.#lines - 1) / spanMs) * 1_000;
    if (perSecond <= this.#odd.linesPerSecond) return undefined;
    const coarser = units.slice(0, units.indexOf(this.#unit)).map((unit) => `--unit ${unit}`);
    if (coarser.length === 0) return undefined;
    const rate = Math.round(perSecond).toLocaleString('en');
    return `the recording has ${rate} messages a second in ${names[this.#unit]}; if "t" is in a coarser unit, say ${coarser.reverse().join(' or ')}`;
  }

  get #odd(): (typeof odd)['assumed' | 'stated'] {
    return this.#stated ? odd.stated : odd.assumed;
  }
}

function isSince1970(ms: number): boolean {
  return ms >= sinceMs.from && ms <= sinceMs.to;
}

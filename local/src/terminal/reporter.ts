// Owns the lines that a person reads: one per event, with the time, coloured on a terminal only.

export type Tone = 'good' | 'bad' | 'plain';

export interface Event {
  readonly who: string;
  readonly what: string;
  readonly tone?: Tone;
}

export interface ReporterOptions {
  readonly write: (text: string) => void;
  readonly colour: boolean;
  readonly now?: () => Date;
}

const ESCAPE = '\u001b[';
const CODES = { good: '32', bad: '31', plain: '0', time: '2', who: '1' } as const;
const WHO_WIDTH = 15;

/** A line that a service repeats is shown once in this time. */
const REPEAT_MS = 5000;

export class Reporter {
  readonly #options: ReporterOptions;
  #last = { text: '', atMs: 0, repeats: 0 };

  constructor(options: ReporterOptions) {
    this.#options = options;
  }

  /** Prints a line unchanged. */
  line(text: string): void {
    this.#options.write(`${text}\n`);
  }

  /** `12:00:01 shard desktop-1 up …`; more lines of one event are indented, and repeats are counted. */
  event({ who, what, tone = 'plain' }: Event): void {
    const { now = () => new Date() } = this.#options;
    const atMs = now().getTime();
    const same = this.#last.text === `${who} ${what}`;
    if (same && atMs - this.#last.atMs < REPEAT_MS) {
      this.#last.repeats += 1;
      return;
    }
    const repeats = same && this.#last.repeats > 0 ? ` (${this.#last.repeats + 1} times)` : '';
    this.#last = { text: `${who} ${what}`, atMs, repeats: 0 };
    const time = now().toTimeString().slice(0, 8);
    const text = `${what.trimEnd()}${repeats}`.replaceAll('\n', '\n         ');
    this.line(
      `${this.#paint('time', time)} ${this.#paint('who', who.padEnd(WHO_WIDTH))} ${this.#paint(tone, text)}`,
    );
  }

  #paint(code: keyof typeof CODES, text: string): string {
    if (!this.#options.colour || code === 'plain') return text;
    return `${ESCAPE}${CODES[code]}m${text}${ESCAPE}0m`;
  }
}

// Ctrl-C and its like: the first ends in order, the second at once.

/** Whether and how a command was told to end. */
export class Signals {
  readonly #stopping: AbortController = new AbortController();
  #exitCode: number | undefined;

  constructor() {
    // Once each: without a listener the signal ends the process, as it does every other.
    process.once('SIGINT', () => this.#stop(130));
    process.once('SIGTERM', () => this.#stop(143));
  }

  get signal(): AbortSignal {
    return this.#stopping.signal;
  }

  /** What a shell expects of a command that a signal ended; missing where none came. */
  get exitCode(): number | undefined {
    return this.#exitCode;
  }

  #stop(exitCode: number): void {
    this.#exitCode ??= exitCode;
    this.#stopping.abort();
  }
}

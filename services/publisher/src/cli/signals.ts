// SIGINT and SIGTERM: the first ends the command in order, the second at once.

/** Whether and by which signal a command was told to end. */
export class Signals {
  readonly #stopping: AbortController = new AbortController();
  #exitCode: number | undefined;

  constructor() {
    // Once per signal: without a listener a second signal ends the process.
    process.once('SIGINT', () => this.#stop(130));
    process.once('SIGTERM', () => this.#stop(143));
  }

  get signal(): AbortSignal {
    return this.#stopping.signal;
  }

  /** The exit code that shells expect after a signal; undefined without a signal. */
  get exitCode(): number | undefined {
    return this.#exitCode;
  }

  #stop(exitCode: number): void {
    this.#exitCode ??= exitCode;
    this.#stopping.abort();
  }
}

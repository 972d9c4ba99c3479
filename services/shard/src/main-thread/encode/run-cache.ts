// Runs of frames by cursor and channel: made once for all threads that are at the same cursor. Bounded by bytes; a
// run that does not fit is made again.

export class RunCache {
  readonly #maxBytes: number;
  readonly #runs = new Map<number, Map<string, Buffer>>();
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get(channel: string, sinceSeq: number, make: () => Buffer): Buffer {
    let runs = this.#runs.get(sinceSeq);
    const known = runs?.get(channel);
    if (known !== undefined) return known;
    const run = make();
    if (this.#bytes + run.length > this.#maxBytes) return run;
    if (runs === undefined) {
      runs = new Map();
      this.#runs.set(sinceSeq, runs);
    }
    runs.set(channel, run);
    this.#bytes += run.length;
    return run;
  }

  clear(): void {
    this.#runs.clear();
    this.#bytes = 0;
  }
}

// A token bucket of messages. Pure but for the time that it is given.

export class MessageRate {
  readonly #perSecond: number;
  readonly #burst: number;
  #tokens: number;
  #atMs: number;

  constructor(limits: { readonly perSecond: number; readonly burst: number }, nowMs: number) {
    this.#perSecond = limits.perSecond;
    this.#burst = limits.burst;
    this.#tokens = limits.burst;
    this.#atMs = nowMs;
  }

  /** Takes so many at once, or none. */
  take(messages: number, nowMs: number): boolean {
    this.#tokens = Math.min(this.#burst, this.#tokens + ((nowMs - this.#atMs) / 1000) * this.#perSecond);
    this.#atMs = nowMs;
    if (this.#tokens < messages) return false;
    this.#tokens -= messages;
    return true;
  }
}

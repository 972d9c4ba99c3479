// Computes when each line of a recording is due. Pure arithmetic; knows no clock.

export interface PaceOptions {
  /** 10 plays ten times as fast; infinite never waits. */
  readonly speed: number;
  /** Maximum pause between two lines, after the speed is applied. */
  readonly maxPauseMs: number;
}

/** Turns the times of a recording into times since the start of the replay. */
export class Pace {
  readonly #speed: number;
  readonly #maxPauseMs: number;
  #lastAtMs: number | undefined;
  #dueMs = 0;

  constructor({ speed, maxPauseMs }: PaceOptions) {
    this.#speed = speed;
    this.#maxPauseMs = maxPauseMs;
  }

  /** When the line of `atMs` is due. Times that go back add no pause. */
  due(atMs: number): number {
    const pauseMs = Math.max(0, atMs - (this.#lastAtMs ?? atMs)) / this.#speed;
    this.#lastAtMs = atMs;
    this.#dueMs += Math.min(this.#maxPauseMs, pauseMs);
    return this.#dueMs;
  }

  /** Another round of the same recording follows at once. */
  again(): void {
    this.#lastAtMs = undefined;
  }
}

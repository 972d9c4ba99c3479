// Computes when each line of a recording is due. Pure arithmetic; knows no clock.

export interface PaceOptions {
  /** 10 plays ten times as fast; infinite never waits. */
  readonly speed: number;
  /** Maximum pause between two lines, after the speed is applied. */
  readonly maxPauseMs: number;
}

/** When the line of a time is due, in milliseconds since the start. */
export interface Pacing {
  due(atMs: number): number;
  /** Another round of the same recording follows. */
  again(): void;
}

/** A fixed number of messages a second, instead of their times. */
export class EvenPace implements Pacing {
  readonly #perSecond: number;
  #lines = 0;

  constructor(perSecond: number) {
    this.#perSecond = perSecond;
  }

  due(): number {
    return (this.#lines++ / this.#perSecond) * 1_000;
  }

  again(): void {}
}

/** Turns the times of a recording into times since the start of the replay. */
export class Pace implements Pacing {
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

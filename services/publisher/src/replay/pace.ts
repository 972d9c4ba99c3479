// When a recorded message is due: the recording's own rhythm, at a speed, with long pauses cut short. Pure.

export interface PaceOptions {
  /** 2 is twice as fast. */
  readonly speed: number;
  /** Longest pause between two messages, after the speed, in milliseconds. */
  readonly maxPauseMs: number;
}

/** Answers for each message how long to wait before it, measured from the one before. */
export function createPace({ speed, maxPauseMs }: PaceOptions): (atMs: number) => number {
  let lastMs: number | undefined;
  return (atMs) => {
    const pauseMs = lastMs === undefined ? 0 : Math.max(0, atMs - lastMs) / speed;
    lastMs = Math.max(lastMs ?? atMs, atMs);
    return Math.min(pauseMs, maxPauseMs);
  };
}

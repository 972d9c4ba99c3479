// Repeats a task: at an interval after a success, sooner after a failure. One run at a time.

/** The task and its intervals. */
export interface PollOptions {
  readonly run: () => Promise<void>;
  readonly everyMs: number;
  /** Wait after a failure; it doubles up to `everyMs` while failures follow each other. */
  readonly retryMs: number;
  readonly onProblem: (error: unknown) => void;
}

/** Starts at once. */
export function startPoll({ run, everyMs, retryMs, onProblem }: PollOptions): { stop(): void } {
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;
  let waitMs = retryMs;
  const round = async (): Promise<void> => {
    let nextMs = everyMs;
    try {
      await run();
      waitMs = retryMs;
    } catch (error) {
      nextMs = Math.min(waitMs, everyMs);
      waitMs *= 2;
      if (!stopped) onProblem(error);
    }
    if (stopped) return;
    timer = setTimeout(() => void round(), nextMs);
    timer.unref();
  };
  void round();
  return {
    stop() {
      stopped = true;
      clearTimeout(timer);
    },
  };
}

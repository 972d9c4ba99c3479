// Ends a process once, in order, before a deadline.
import type { Logger } from 'pino';

/** One step of a shutdown. */
export interface ShutdownStep {
  readonly name: string;
  readonly run: () => Promise<void> | void;
}

/** Runs the steps at the first SIGTERM, SIGINT or loss of the parent. */
export function runUntilSignal(_options: {
  readonly logger: Logger;
  readonly deadlineMs: number;
  readonly steps: readonly ShutdownStep[];
}): void {
  throw new Error('not there yet');
}

// Ends a process once, in order, before a deadline. Owns the process's signals and its last log lines. An unhandled
// error ends the process, too.
import type { Logger } from 'pino';
import type { Clock } from '../clock.ts';
import { systemClock } from '../clock.ts';

/** One step of a shutdown. If a step throws, the error is logged and the next step runs. */
export interface ShutdownStep {
  readonly name: string;
  readonly run: () => Promise<void> | void;
}

/** The parts of `process` that the shutdown needs. */
export interface ShutdownHost {
  /** Whether the parent's IPC channel is open; undefined if there never was one. */
  readonly connected?: boolean;
  on(event: string, listener: (detail: unknown) => void): unknown;
  exit(code: number): void;
}

/** A terminal signals the whole process group, and its supervisor then each child: two signals, one request. */
const sameRequestMs = 500;

/**
 * Returns at once. At the first SIGTERM, SIGINT or loss of the parent (IPC `disconnect`) the steps run in
 * order, all before one deadline, and the process exits: with 0, or with 1 if a step failed or the deadline passed.
 * A second signal exits with 1 at once, unless it is another signal for the same request. An unhandled exception or
 * rejection is logged as fatal and exits with 1.
 */
export function runUntilSignal(
  options: {
    readonly logger: Logger;
    /** For all steps together, in milliseconds. */
    readonly deadlineMs: number;
    readonly steps: readonly ShutdownStep[];
  },
  host: ShutdownHost = process,
  clock: Clock = systemClock,
): void {
  const { logger, deadlineMs, steps } = options;
  let first: { readonly cause: string; readonly atMs: number } | undefined;
  const request = (cause: string): void => {
    if (first === undefined) {
      first = { cause, atMs: clock.monotonicMs() };
      logger.info({ cause }, 'shutting down');
      void runSteps({ logger, deadlineMs, steps }, host);
      return;
    }
    if (cause === 'disconnect') return;
    if (cause !== first.cause && clock.monotonicMs() - first.atMs < sameRequestMs) return;
    logger.warn({ cause }, 'second signal, exiting at once');
    host.exit(1);
  };
  for (const signal of ['SIGTERM', 'SIGINT', 'disconnect']) host.on(signal, () => request(signal));
  // The parent may have gone before this listener was added.
  if (host.connected === false) request('disconnect');
  for (const event of ['uncaughtException', 'unhandledRejection']) {
    host.on(event, (err) => {
      logger.fatal({ err, event }, 'unexpected error');
      host.exit(1);
    });
  }
}

async function runSteps(
  options: { readonly logger: Logger; readonly deadlineMs: number; readonly steps: readonly ShutdownStep[] },
  host: ShutdownHost,
): Promise<void> {
  const { logger, deadlineMs, steps } = options;
  let step = '';
  let failed = false;
  const deadline = setTimeout(() => {
    logger.error({ step, deadlineMs }, 'shutdown deadline passed');
    host.exit(1);
  }, deadlineMs);
  for (const { name, run } of steps) {
    step = name;
    try {
      await run();
    } catch (err) {
      failed = true;
      logger.error({ err, step }, 'shutdown step failed');
    }
  }
  clearTimeout(deadline);
  logger.info({ failed }, 'stopped');
  host.exit(failed ? 1 : 0);
}

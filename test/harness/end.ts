// Ends a process of a test.
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';

/** Sends a signal and waits for the end, which may have come before. Answers the exit code; null after a signal. */
export async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<number | null> {
  if (child.exitCode === null && child.signalCode === null) {
    const exit = once(child, 'exit');
    child.kill(signal);
    await exit;
  }
  return child.exitCode;
}

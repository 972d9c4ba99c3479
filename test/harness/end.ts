// Ends a process that a test started.
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';

/** Sends a signal unless the process has ended, and waits for its end. The exit code; null after a signal. */
export async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<number | null> {
  if (child.exitCode === null && child.signalCode === null) {
    const exit = once(child, 'exit');
    child.kill(signal);
    await exit;
  }
  return child.exitCode;
}

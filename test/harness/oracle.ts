// Checks that hold in every test: processes live, logs have no errors, frames are whole, memory returns to its level,
// and well-behaved clients are served as before.
import { readFile } from 'node:fs/promises';
import { expect } from 'vitest';
import type { BareClient } from './bare-client.ts';
import type { Service } from './small-cluster.ts';

/** Log levels as numbers; `error` is 50 and `fatal` 60. */
const ERROR = 50;

/** Fails if a process has ended or has logged an error. */
export function expectSound(services: readonly Service[]): void {
  for (const { name, process, log } of services) {
    expect([name, process.exitCode, process.signalCode]).toEqual([name, null, null]);
    expect(log.filter(isComplaint)).toEqual([]);
  }
}

/** Errors of the log, and anything that is not a log line, such as a stack trace on stderr. */
function isComplaint(line: string): boolean {
  try {
    const { level } = JSON.parse(line);
    return level === 'error' || level === 'fatal' || Number(level) >= ERROR;
  } catch {
    return line.trim() !== '' && !line.includes('MaxListenersExceededWarning');
  }
}

/** Every frame was valid UTF-8 and one JSON value, or the client's parser and `ws` (code 1007) would have failed. */
export function expectWholeFrames(client: BareClient): void {
  expect(client.closed === 1007).toBe(false);
  expect(client.frames.every(({ message }) => typeof message['type'] === 'string')).toBe(true);
}

/** Resident memory of a process in megabytes. */
export async function residentMb({ process }: Service): Promise<number> {
  const status = await readFile(`/proc/${process.pid}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) / 1024;
}

/** Processor time that a process has used, in seconds. */
export async function cpuSeconds({ process }: Service): Promise<number> {
  const stat = await readFile(`/proc/${process.pid}/stat`, 'utf8');
  // The fields after the process name in parentheses; times are in hundredths of a second.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

export function percentile(values: readonly number[], part: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0;
}

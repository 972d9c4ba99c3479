// What holds in every case, whatever is done: processes live, logs have no error that nobody handled, frames are what
// they should be, memory comes back, and those who do nothing wrong are served as before.
import { readFile } from 'node:fs/promises';
import { expect } from 'vitest';
import type { BareClient } from './bare-client.ts';
import type { Service } from './small-cluster.ts';

/** Levels of the log by number; `error` is 50 and `fatal` 60. */
const ERROR = 50;

/** No process has ended, and none has logged an error. */
export function expectSound(services: readonly Service[]): void {
  for (const { name, process, log } of services) {
    expect([name, process.exitCode, process.signalCode]).toEqual([name, null, null]);
    expect(log.filter(isComplaint)).toEqual([]);
  }
}

/** Errors of the log, and whatever is no line of the log: a stack on stderr. */
function isComplaint(line: string): boolean {
  try {
    const { level } = JSON.parse(line);
    return level === 'error' || level === 'fatal' || Number(level) >= ERROR;
  } catch {
    return line.trim() !== '' && !line.includes('MaxListenersExceededWarning');
  }
}

/** Every frame was valid UTF-8 and one JSON value: the client has parsed it. `ws` itself closes with 1007 otherwise. */
export function expectWholeFrames(client: BareClient): void {
  expect(client.closed === 1007).toBe(false);
  expect(client.frames.every(({ message }) => typeof message['type'] === 'string')).toBe(true);
}

/** Megabytes that a process has in memory. */
export async function residentMb({ process }: Service): Promise<number> {
  const status = await readFile(`/proc/${process.pid}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) / 1024;
}

/** Seconds of processor time that a process has used. */
export async function cpuSeconds({ process }: Service): Promise<number> {
  const stat = await readFile(`/proc/${process.pid}/stat`, 'utf8');
  // After the name in parentheses; in hundredths.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

export function percentile(values: readonly number[], part: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0;
}

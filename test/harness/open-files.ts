// Open files of another process from /proc, independent of the process's own counts.
import { readdirSync } from 'node:fs';
import type { Service } from './small-cluster.ts';

export function openFiles({ process }: Service): number {
  return readdirSync(`/proc/${process.pid}/fd`).length;
}

// Open files of another process, from /proc: what it holds whether it counts it or not.
import { readdirSync } from 'node:fs';
import type { Service } from './small-cluster.ts';

export function openFiles({ process }: Service): number {
  return readdirSync(`/proc/${process.pid}/fd`).length;
}

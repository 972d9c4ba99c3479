// A name of this process that no second process has: the pod and the process on Kubernetes, the machine elsewhere.
import { hostname } from 'node:os';

/** Letters, digits, `-` and `_` alone. */
export function processName(): string {
  const host = hostname()
    .replace(/[^A-Za-z0-9_-]/g, '-')
    .slice(0, 100);
  return `${host === '' ? 'process' : host}-${process.pid}`;
}

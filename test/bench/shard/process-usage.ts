// CPU and memory of other processes and of the kernel's sockets, from /proc, independent of the processes' own numbers.
import { readFileSync } from 'node:fs';

/** Clock ticks a second; 100 on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100;
const PAGE_BYTES = 4_096;

/** CPU seconds of all threads so far, user and system. */
export function cpuSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  // The name in parentheses may contain spaces: count from its end. utime and stime are fields 14 and 15.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

/** Resident memory in bytes. */
export function residentBytes(pid: number): number {
  return Number(readFileSync(`/proc/${pid}/statm`, 'latin1').split(' ')[1]) * PAGE_BYTES;
}

/** Threads of a process. */
export function threads(pid: number): number {
  return Number(/^Threads:\s*(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1]);
}

/** Bytes that the kernel holds for a server: written to its connections, and not yet acknowledged by the other side. */
export function sendQueueBytes(port: number): number {
  const local = `:${port.toString(16).toUpperCase().padStart(4, '0')} `;
  let bytes = 0;
  for (const line of readFileSync('/proc/net/tcp', 'latin1').split('\n')) {
    // "  12: 0100007F:1F90 0100007F:C350 01 00000000:00000000 …": local, remote, state, send and receive queue.
    if (line.slice(14, 20) !== local) continue;
    bytes += Number.parseInt(line.slice(37, 45), 16) || 0;
  }
  return bytes;
}

// Tells a process from a later one with the same number. Reads only.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** The start time of the process as the system reports it; undefined if there is no such process. */
export function identityOf(pid: number): string | undefined {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EPERM')) return undefined;
  }
  return fromProc(pid) ?? fromPs(pid, 'lstart=');
}

/** The command line, its words joined by blanks; undefined if it is unknown. */
export function commandOf(pid: number): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
  } catch {
    return fromPs(pid, 'command=');
  }
}

/** Field 22 of `/proc/PID/stat`: ticks from boot to the start. Together with the boot's id it is unique. */
function fromProc(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' '); // the name in front may contain blanks
    const [state, started] = [fields[0], fields[19]];
    if (state === 'Z' || started === undefined) return undefined; // a zombie does not run
    return `${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()}/${started}`;
  } catch {
    return undefined;
  }
}

function fromPs(pid: number, what: string): string | undefined {
  try {
    const said = execFileSync('ps', ['-o', what, '-p', String(pid)], { encoding: 'utf8', stdio: 'pipe' });
    return said.trim() || undefined;
  } catch {
    return undefined;
  }
}

// The number of sockets that the limit of open files leaves for clients. A process without free descriptors can neither
// accept a connection nor answer a health check, so every service stays below the limit.
import { readdirSync } from 'node:fs';
import { maxAdminConnections } from '../admin.ts';

/** Descriptors for NATS, name look-ups, API servers, child processes and files that are read. */
const OTHER_FILES = 32;
/** A service needs at least this many sockets. */
const MIN_SOCKETS = 16;

/** The soft limit of this process, which Node raises to the hard one as it starts, and the descriptors in use. */
export interface OpenFiles {
  readonly limit: number;
  readonly used: number;
}

/** `limit` is infinite if there is no limit or it cannot be read. */
export function openFiles(): OpenFiles {
  // Node's types do not have it yet. Without it a report looks up the names of peers.
  Reflect.set(process.report, 'excludeNetwork', true);
  const report: unknown = process.report.getReport();
  const { userLimits } = report as { userLimits?: { open_files?: { soft: unknown } } };
  const limit = Number(userLimits?.open_files?.soft);
  return { limit: Number.isFinite(limit) ? limit : Number.POSITIVE_INFINITY, used: usedNow() };
}

function usedNow(): number {
  try {
    return readdirSync('/dev/fd').length;
  } catch {
    return OTHER_FILES;
  }
}

/** Sockets for clients beside those of the admin server; `others` are descriptors that the service opens later. */
export function roomForSockets(others = 0, { limit, used }: OpenFiles = openFiles()): number {
  const taken = used + maxAdminConnections + OTHER_FILES + others;
  if (limit >= taken + MIN_SOCKETS) return limit - taken;
  throw new Error(
    `the limit of ${limit} open files is too low: raise it to ${taken + MIN_SOCKETS} or more (ulimit -n, LimitNOFILE)`,
  );
}

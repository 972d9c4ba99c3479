// How many sockets the limit of open files leaves for clients. A process that runs out of descriptors can neither accept
// nor answer a health check, so every service stays below the limit.
import { readdirSync } from 'node:fs';
import { maxAdminConnections } from '../admin.ts';

/** For NATS, name look-ups, API servers, child processes and files that are read. */
const OTHER_FILES = 32;
/** Fewer sockets than that are no service. */
const MIN_SOCKETS = 16;

/** The soft limit of this process, which Node raises to the hard one as it starts, and the descriptors in use. */
export interface OpenFiles {
  readonly limit: number;
  readonly used: number;
}

/** Infinite where there is no limit, or none that can be read. */
export function openFiles(): OpenFiles {
  // Not in the types of Node yet; without it a report looks up the names of peers.
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

/** Sockets for clients beside those of the admin server; `others` is what the service opens itself later on. */
export function roomForSockets(others = 0, { limit, used }: OpenFiles = openFiles()): number {
  const taken = used + maxAdminConnections + OTHER_FILES + others;
  if (limit >= taken + MIN_SOCKETS) return limit - taken;
  throw new Error(
    `the limit of ${limit} open files is too low: raise it to ${taken + MIN_SOCKETS} or more (ulimit -n, LimitNOFILE)`,
  );
}

// Owns `.weir/local.json`: the addresses of the running cluster, for people, tests and tools. Writes it whole or not at
// all; removes it when the cluster ends.
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { ServiceStatus } from '../supervise/service-spec.ts';

/** The contents of the file. `router` is the base of the URL: clients append `/v1/connect?channels=…`. */
export interface LocalState {
  readonly router: string;
  readonly publisher: string;
  readonly nats: string;
  readonly page: string;
  /** The page of control. */
  readonly console: string;
  /** Process of the supervisor: ending it (SIGTERM) ends the cluster. */
  readonly pid: number;
  readonly services: readonly LocalService[];
}

export interface LocalService {
  readonly name: string;
  readonly pool?: string;
  readonly id: string;
  readonly pid: number;
  readonly url: string;
  readonly admin: string;
}

/** The contents for these services. */
export function localState(
  services: readonly ServiceStatus[],
  where: { readonly nats: string; readonly page: string; readonly pid: number },
): LocalState {
  const urlOf = (name: string): string => services.find(({ spec }) => spec.name === name)?.url ?? '';
  return {
    router: urlOf('router'),
    publisher: urlOf('publisher'),
    nats: where.nats,
    page: where.page,
    console: urlOf('control'),
    pid: where.pid,
    services: services.map(({ spec, pid, url, adminUrl }) => ({
      name: spec.name,
      ...(spec.pool === undefined ? {} : { pool: spec.pool }),
      id: spec.id,
      pid,
      url,
      admin: adminUrl,
    })),
  };
}

/** Replaces the file in one step. */
export function writeLocalFile(path: string, state: LocalState): void {
  mkdirSync(dirname(path), { recursive: true });
  const whole = `${path}.new`;
  // The URL of NATS may contain a password.
  writeFileSync(whole, `${JSON.stringify(state, null, 2)}\n`, { mode: 0o600 });
  renameSync(whole, path);
}

export function removeLocalFile(path: string): void {
  rmSync(path, { force: true });
  rmSync(`${path}.new`, { force: true });
}

/** The file of an earlier or another start; undefined if there is no readable one. */
export function readLocalFile(path: string): LocalState | undefined {
  try {
    const value: LocalState = JSON.parse(readFileSync(path, 'utf8'));
    return Array.isArray(value.services) ? value : undefined;
  } catch {
    return undefined;
  }
}

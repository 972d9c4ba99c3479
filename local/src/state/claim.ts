// Lets only one cluster at a time run from this repository, by a file that names the supervisor's process.
// Must never mistake another program with the same process number for a supervisor.
import { existsSync, linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { identityOf } from './process-identity.ts';

export type Claim =
  | {
      readonly taken: true;
      /** Whether a killed supervisor had left its claim. */
      readonly stale: boolean;
      release(): void;
    }
  | { readonly taken: false; readonly pid: number };

interface Holder {
  readonly pid: number;
  readonly identity: string;
}

const NAME = 'supervisor.json';

/**
 * Claims the folder (`.weir`) for this process, or returns the process that holds it. Throws if the folder cannot be
 * made, read or written.
 */
export function claim(folder: string, pid: number = process.pid): Claim {
  makeFolder(folder);
  const path = join(folder, NAME);
  const mine = JSON.stringify({ pid, identity: identityOf(pid) ?? '' });
  let stale = false;
  for (;;) {
    if (createWith(path, mine)) return { taken: true, stale, release: () => release(path, mine) };
    const text = readOrThrow(path);
    const holder = text === undefined ? undefined : parse(text);
    if (holder !== undefined && isAlive(holder)) return { taken: false, pid: holder.pid };
    if (text !== undefined) {
      stale = true;
      setAside(path, text);
    }
  }
}

/** The process that holds the folder, if it is alive. */
export function holderOf(folder: string): number | undefined {
  const text = read(join(folder, NAME));
  const holder = text === undefined ? undefined : parse(text);
  return holder !== undefined && isAlive(holder) ? holder.pid : undefined;
}

/**
 * Not `recursive: true`: if a file system knows no new folders (`/proc`), Node 20 would try for ever, and this process
 * could not be interrupted.
 */
function makeFolder(folder: string): void {
  if (existsSync(folder)) return;
  const parent = dirname(folder);
  if (!existsSync(parent)) makeFolder(parent);
  try {
    mkdirSync(folder);
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error; // another start was faster
  }
}

/** Links a complete file: no reader sees half a claim, and of two claims at once only one succeeds. */
function createWith(path: string, text: string): boolean {
  const whole = `${path}.${process.pid}.new`;
  writeFileSync(whole, text);
  try {
    linkSync(whole, path);
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  } finally {
    rmSync(whole, { force: true });
  }
}

/** Removes a dead claim. If another start has claimed the folder since the check, puts that claim back. */
function setAside(path: string, dead: string): void {
  const aside = `${path}.${process.pid}.old`;
  try {
    renameSync(path, aside);
  } catch {
    return; // another start was faster
  }
  const text = read(aside);
  if (text !== undefined && text !== dead) createWith(path, text);
  rmSync(aside, { force: true });
}

function release(path: string, mine: string): void {
  if (read(path) === mine) rmSync(path, { force: true });
}

function isAlive({ pid, identity }: Holder): boolean {
  return identityOf(pid) === identity;
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

/** Undefined only if there is no such file: one that is there and cannot be read never goes away by itself. */
function readOrThrow(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}

function parse(text: string): Holder | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null) return undefined;
    if (!('pid' in value) || typeof value.pid !== 'number') return undefined;
    if (!('identity' in value) || typeof value.identity !== 'string') return undefined;
    return { pid: value.pid, identity: value.identity };
  } catch {
    return undefined;
  }
}

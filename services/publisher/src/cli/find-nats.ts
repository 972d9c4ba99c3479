// Which NATS server a command uses: the flag, the environment, a running `npm start`, or the usual one.
import { dirname, join } from 'node:path';
import { parse } from '@weir/runtime';
import { UsageError } from './arguments.ts';

/** The servers, and a description of where they were found. */
export interface FoundNats {
  readonly servers: readonly string[];
  readonly source: string;
}

const parseServers = parse.list(parse.natsServer());

/** Decides; `readText` returns a file's text or undefined. Throws a `UsageError` if the flag is invalid. */
export function findNats(from: {
  readonly flag: string | undefined;
  readonly environment: readonly string[] | undefined;
  readonly folder: string;
  readonly readText: (path: string) => string | undefined;
}): FoundNats {
  if (from.flag !== undefined) return { servers: serversOf(from.flag), source: '--nats' };
  if (from.environment !== undefined)
    return { servers: from.environment, source: 'WEIR_NATS_URL or NATS_URL' };
  const local = findLocal(from.folder, from.readText);
  return local ?? { servers: ['nats://127.0.0.1:4222'], source: 'the default' };
}

function serversOf(text: string): readonly string[] {
  try {
    return parseServers(text);
  } catch (error) {
    throw new UsageError(`--nats ${error instanceof Error ? error.message : 'is not valid'}`);
  }
}

/** `npm start` writes the address of its NATS to `.weir/local.json`, in this folder or one above it. */
function findLocal(folder: string, readText: (path: string) => string | undefined): FoundNats | undefined {
  for (let at = folder; ; at = dirname(at)) {
    const path = join(at, '.weir', 'local.json');
    const nats = natsOf(readText(path));
    if (nats !== undefined) return { servers: [nats], source: path };
    if (dirname(at) === at) return undefined;
  }
}

function natsOf(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  try {
    const state: unknown = JSON.parse(text);
    if (typeof state !== 'object' || state === null || !('nats' in state)) return undefined;
    return typeof state.nats === 'string' ? parseServers(state.nats)[0] : undefined;
  } catch {
    // Half-written, or of another program: ignored.
    return undefined;
  }
}

/** Servers for output: without user and password. */
export function shownServers(servers: readonly string[]): string {
  return servers.map((server) => server.replace(/\/\/[^/?#]*@/, '//').replace(/[?#].*/, '')).join(', ');
}

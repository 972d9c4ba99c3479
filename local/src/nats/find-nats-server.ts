// Chooses the nats-server to run: one on the PATH, one fetched earlier, or one fetched now. Never leaves a server
// running.
import { execFile } from 'node:child_process';
import { access, constants } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { cacheFolder, fetchNatsServer } from './fetch-nats-server.ts';
import { NATS_IMAGE, NATS_VERSION } from './pinned.ts';

const run = promisify(execFile);

/** A server that can be run: a program of this machine, or a container image. */
export type NatsProgram =
  | { readonly kind: 'binary'; readonly path: string; readonly version: string }
  | { readonly kind: 'container'; readonly image: string; readonly version: string };

export interface FindOptions {
  /** Gets one readable line per event: the way that was chosen, each failure. */
  readonly say?: (line: string) => void;
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Folder of fetched servers; by default the git-ignored `.cache/nats` of the repository. */
  readonly cache?: string;
  /** Aborts a running fetch. */
  readonly signal?: AbortSignal;
}

/** The oldest server with all features that Weir needs (republish and JetStream as of 2.10). */
const OLDEST = [2, 10] as const;

/** Finds a server, or fetches one. If no way works, rejects with an error that says what to do. */
export async function findNatsServer(options: FindOptions = {}): Promise<NatsProgram> {
  const { say = () => {}, env = process.env, cache = cacheFolder(), signal } = options;
  const onPath = await firstOnPath(env['PATH'] ?? '');
  if (onPath !== undefined) {
    const version = await versionOf(onPath);
    if (version !== undefined && isNewEnough(version)) {
      say(`nats-server ${version} from the PATH (${onPath})`);
      return { kind: 'binary', path: onPath, version };
    }
    say(`nats-server on the PATH is ${version ?? 'not working'}; ${OLDEST.join('.')} or later is needed`);
  }
  const kept = join(cache, NATS_VERSION, 'nats-server');
  if ((await versionOf(kept)) === NATS_VERSION) {
    say(`nats-server ${NATS_VERSION} fetched earlier (${kept})`);
    return { kind: 'binary', path: kept, version: NATS_VERSION };
  }
  const way = await fetchNatsServer({ target: kept, say, env, versionOf, signal });
  if (way === 'container') return { kind: 'container', image: NATS_IMAGE, version: NATS_VERSION };
  return { kind: 'binary', path: kept, version: NATS_VERSION };
}

/** The version of `nats-server --version`, as "2.15.1"; undefined if the program does not run. */
async function versionOf(path: string): Promise<string | undefined> {
  try {
    const { stdout } = await run(path, ['--version'], { timeout: 10_000 });
    return /v?(\d+\.\d+\.\d+\S*)/.exec(stdout)?.[1];
  } catch {
    return undefined;
  }
}

/** Whether a version such as "2.10.4" is at least the oldest supported one. */
export function isNewEnough(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map((part) => Number.parseInt(part, 10));
  return major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1]);
}

async function firstOnPath(path: string): Promise<string | undefined> {
  for (const folder of path.split(delimiter)) {
    if (folder === '') continue;
    const candidate = join(folder, 'nats-server');
    try {
      await access(candidate, constants.X_OK);
      return candidate;
    } catch {
      // not in this folder
    }
  }
  return undefined;
}

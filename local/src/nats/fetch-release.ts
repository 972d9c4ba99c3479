// Downloads nats-server from its project's release page: archive, checksum, program. Needs only Node.
// Must never write a program whose archive does not match the release's list of checksums.
import { createHash } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { NATS_RELEASES, NATS_VERSION } from './pinned.ts';
import { fileOfTar } from './read-tar.ts';

const unzip = promisify(gunzip);

/** Another address of the same files, for machines that cannot reach the release page. */
export const MIRROR_VARIABLE = 'NATS_RELEASES_URL';

/** The archives are some 7 MB, the program some 20 MB. */
const MAX_ARCHIVE_BYTES = 64 * 1024 * 1024;
const MAX_PROGRAM_BYTES = 256 * 1024 * 1024;
const MAX_SUMS_BYTES = 64 * 1024;
/** Short for the list, so that a machine without access notices soon; long for the archive, for slow links. */
const SUMS_DEADLINE_MS = 15_000;
const ARCHIVE_DEADLINE_MS = 300_000;

const SYSTEMS: Readonly<Record<string, string>> = { linux: 'linux', darwin: 'darwin' };
const PROCESSORS: Readonly<Record<string, string>> = { x64: 'amd64', arm64: 'arm64' };

export interface Machine {
  readonly platform: string;
  readonly arch: string;
}

/** The archive for a machine, such as `nats-server-v2.15.1-linux-amd64.tar.gz`; undefined if there is none. */
export function archiveName({ platform, arch }: Machine): string | undefined {
  const [system, processor] = [SYSTEMS[platform], PROCESSORS[arch]];
  if (system === undefined || processor === undefined) return undefined;
  return `nats-server-v${NATS_VERSION}-${system}-${processor}.tar.gz`;
}

/** Downloads the program into a folder and resolves with its path; rejects with an explanation. */
export async function fetchRelease(options: {
  readonly folder: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly machine?: Machine;
  readonly signal: AbortSignal | undefined;
}): Promise<string> {
  const { folder, env, machine = process, signal } = options;
  const name = archiveName(machine);
  if (name === undefined) throw new Error(`there is no archive for ${machine.platform} on ${machine.arch}`);
  const base = `${(env[MIRROR_VARIABLE] ?? NATS_RELEASES).replace(/\/+$/, '')}/v${NATS_VERSION}`;
  const sums = await download(`${base}/SHA256SUMS`, {
    maxBytes: MAX_SUMS_BYTES,
    deadlineMs: SUMS_DEADLINE_MS,
    signal,
  });
  const wanted = checksumOf(sums.toString('utf8'), name);
  if (wanted === undefined) throw new Error(`SHA256SUMS of the release does not name ${name}`);
  const archive = await download(`${base}/${name}`, {
    maxBytes: MAX_ARCHIVE_BYTES,
    deadlineMs: ARCHIVE_DEADLINE_MS,
    signal,
  });
  const found = createHash('sha256').update(archive).digest('hex');
  if (found !== wanted) throw new Error(`${name} has the checksum ${found}, but the release says ${wanted}`);
  const tar = await unzip(archive, { maxOutputLength: MAX_PROGRAM_BYTES });
  const program = fileOfTar(tar, 'nats-server');
  if (program === undefined) throw new Error(`${name} holds no nats-server`);
  await mkdir(folder, { recursive: true });
  const path = join(folder, 'nats-server');
  await writeFile(path, program);
  return path;
}

/** The checksum of a file in the output of sha256sum: `<hex>  <name>`, or with `*` before the name. */
export function checksumOf(sums: string, name: string): string | undefined {
  for (const line of sums.split('\n')) {
    const [, hex, file] = /^([0-9a-f]{64})\s+\*?(\S+)\s*$/i.exec(line) ?? [];
    if (file === name) return hex?.toLowerCase();
  }
  return undefined;
}

async function download(
  url: string,
  limits: {
    readonly maxBytes: number;
    readonly deadlineMs: number;
    readonly signal: AbortSignal | undefined;
  },
): Promise<Buffer> {
  const late = AbortSignal.timeout(limits.deadlineMs);
  const signal = limits.signal === undefined ? late : AbortSignal.any([late, limits.signal]);
  try {
    const response = await fetch(url, { signal, redirect: 'follow' });
    if (response.status !== 200 || response.body === null)
      throw new Error(`it answers ${response.status} ${response.statusText}`);
    const chunks: Uint8Array[] = [];
    let bytes = 0;
    for await (const chunk of response.body) {
      bytes += chunk.length;
      if (bytes > limits.maxBytes) throw new Error(`it sends more than ${limits.maxBytes} bytes`);
      chunks.push(chunk);
    }
    return Buffer.concat(chunks);
  } catch (error) {
    throw new Error(`${url}: ${reasonOf(error)}`, { cause: error });
  }
}

/** The cause of an error: `fetch` itself only says "fetch failed". */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === 'TimeoutError') return 'no answer in time';
  const { cause } = error;
  if (!(cause instanceof Error)) return error.message;
  return cause.message === '' && 'code' in cause ? String(cause.code) : cause.message;
}

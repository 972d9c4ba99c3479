// An emulated IP link: two network namespaces joined by emulate-link.c, and processes started at either end.
// Needs root, gcc, iproute2 and /dev/net/tun; whyNoLinks() says which is missing. Must never leave anything behind.

import { type ChildProcess, execFileSync, type SpawnOptions, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { accessSync, constants, existsSync, mkdirSync, readFileSync, renameSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { dirname, join } from 'node:path';

/** `rate=1500,delay=25,jit=1,q=64`: see emulate-link.c. */
export interface LinkSpec {
  /** Server to client. */
  readonly down: string;
  readonly up: string;
}

export type Congestion = 'bbr' | 'cubic' | 'reno';

export interface LinkOptions extends LinkSpec {
  /** Used in messages only. */
  readonly name: string;
  /** Where the server's end is: its own namespace, or the one this process is in (default). */
  readonly server?: 'here' | 'namespace';
}

export interface EmulatedLink {
  readonly name: string;
  /** Address at which the client's end reaches a server that listens on all addresses. */
  readonly serverAddress: string;
  readonly clientAddress: string;
  /** Starts a program at one end; close() kills it. If the server's end is 'here', it is this process's namespace. */
  runInClient(command: readonly [string, ...string[]], options?: SpawnOptions): ChildProcess;
  runInServer(command: readonly [string, ...string[]], options?: SpawnOptions): ChildProcess;
  /** Changes the link from now on; packets on their way keep their times. */
  change(spec: Partial<LinkSpec>): void;
  /** Congestion control of connections that the server accepts from now on. */
  setCongestion(congestion: Congestion): void;
  close(): Promise<void>;
}

/** Why this machine cannot have emulated links; undefined if it can. */
export function whyNoLinks(): string | undefined {
  if (process.platform !== 'linux') return 'emulated links need Linux';
  if (process.getuid?.() !== 0) return 'emulated links need root';
  if (!isWritable('/dev/net/tun')) return 'emulated links need /dev/net/tun';
  for (const tool of ['gcc', 'ip', 'nsenter']) {
    if (!onPath(tool)) return `emulated links need ${tool}`;
  }
  return triedLinks();
}

let tried: { readonly reason: string | undefined } | undefined;

/** Tries a link: containers may have all the tools and still not be allowed to use them. */
function triedLinks(): string | undefined {
  if (tried === undefined) {
    try {
      execFileSync(emulator(), ['new', 'rate=1000', 'rate=1000'], {
        input: '',
        stdio: 'pipe',
        timeout: 30_000,
      });
      tried = { reason: undefined };
    } catch (err) {
      tried = { reason: `emulated links do not work here: ${lastLine(err)}` };
    }
  }
  return tried.reason;
}

/** Leaves no namespace behind: they end with the emulator, and the emulator ends when its standard input closes. */
export async function openLink(options: LinkOptions): Promise<EmulatedLink> {
  const reason = whyNoLinks();
  if (reason !== undefined) throw new Error(reason);
  const here = options.server !== 'namespace';
  const { net, device } = here ? freeNet() : { net: '10.213.0', device: 'tun0' };
  const link = spawn(emulator(), [here ? `here:${device}` : 'new', options.down, options.up], {
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const opened = new OpenLink(options.name, link, net);
  try {
    const [serverFd, clientFd] = await readiness(link);
    opened.connectEnds(device, serverFd, clientFd);
    return opened;
  } catch (err) {
    await opened.close();
    throw err;
  }
}

class OpenLink implements EmulatedLink {
  readonly name: string;
  readonly serverAddress: string;
  readonly clientAddress: string;
  readonly #emulator: ChildProcess;
  readonly #children = new Set<ChildProcess>();
  readonly #net: string;
  #device = '';
  #serverSpace: string | undefined;
  #clientSpace = '';

  constructor(name: string, link: ChildProcess, net: string) {
    this.name = name;
    this.#emulator = link;
    this.#net = net;
    this.serverAddress = `${net}.1`;
    this.clientAddress = `${net}.2`;
  }

  connectEnds(device: string, serverFd: number, clientFd: number): void {
    const space = (fd: number): string => `--net=/proc/${this.#emulator.pid}/fd/${fd}`;
    this.#device = device;
    this.#serverSpace = serverFd === 0 ? undefined : space(serverFd);
    this.#clientSpace = space(clientFd);
    this.#setUp(this.#serverSpace, this.serverAddress, device);
    this.#setUp(this.#clientSpace, this.clientAddress, 'tun0');
  }

  #setUp(space: string | undefined, address: string, device: string): void {
    // Earlier connections must not teach later ones about the path. This process's own namespace is not ours to
    // change.
    const own =
      space === undefined
        ? ''
        : 'ip link set lo up; sysctl -qw net.ipv4.tcp_no_metrics_save=1 2>/dev/null || true; ';
    const up = `ip addr add ${address}/24 dev ${device}; ip link set ${device} up mtu 1500 txqueuelen 10000`;
    execFileSync(...inSpace(space, ['sh', '-ec', own + up]), { stdio: 'pipe' });
  }

  runInClient(command: readonly [string, ...string[]], options: SpawnOptions = {}): ChildProcess {
    return this.#run(this.#clientSpace, command, options);
  }

  runInServer(command: readonly [string, ...string[]], options: SpawnOptions = {}): ChildProcess {
    return this.#run(this.#serverSpace, command, options);
  }

  #run(
    space: string | undefined,
    command: readonly [string, ...string[]],
    options: SpawnOptions,
  ): ChildProcess {
    const child = spawn(...inSpace(space, command), options);
    this.#children.add(child);
    child.once('exit', () => this.#children.delete(child));
    child.once('error', () => this.#children.delete(child));
    return child;
  }

  change(spec: Partial<LinkSpec>): void {
    for (const way of ['down', 'up'] as const) {
      if (spec[way] !== undefined) this.#emulator.stdin?.write(`${way} ${spec[way]}\n`);
    }
  }

  setCongestion(congestion: Congestion): void {
    const route = ['ip', 'route', 'replace', `${this.#net}.0/24`, 'dev', this.#device] as const;
    const how = ['src', this.serverAddress, 'congctl', congestion];
    execFileSync(...inSpace(this.#serverSpace, [...route, ...how]), { stdio: 'pipe' });
  }

  async close(): Promise<void> {
    await Promise.all([...this.#children].map((child) => ended(child, () => child.kill('SIGKILL'))));
    await ended(this.#emulator, () => this.#emulator.stdin?.end());
  }
}

async function ended(child: ChildProcess, end: () => void): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  const exit = once(child, 'exit');
  end();
  await exit;
}

function inSpace(space: string | undefined, command: readonly [string, ...string[]]): [string, string[]] {
  const [program, ...rest] = command;
  return space === undefined ? [program, rest] : ['nsenter', [space, program, ...rest]];
}

/** The emulator prints `ready 5 7`, or the reason for a failure on its error output. */
async function readiness(link: ChildProcess): Promise<[number, number]> {
  let said = '';
  link.stderr?.on('data', (chunk) => {
    said += String(chunk);
  });
  const gone = once(link, 'close').then(() => {
    throw new Error(`the emulated link did not start: ${said.trim()}`);
  });
  const ready = new Promise<[number, number]>((resolve) => {
    link.stdout?.once('data', (chunk) => {
      const [, server, client] = String(chunk).split(/\s/);
      resolve([Number(server), Number(client)]);
    });
  });
  gone.catch(() => undefined);
  return Promise.race([ready, gone]);
}

/** A /24 of 10.213.0.0/16 and a device name that are unused on this machine. */
function freeNet(): { net: string; device: string } {
  const used = new Set(Object.keys(networkInterfaces()));
  const first = process.pid % 200;
  for (let i = 0; i < 200; i++) {
    const n = 1 + ((first + i) % 200);
    if (!used.has(`weirlab${n}`)) return { net: `10.213.${n}`, device: `weirlab${n}` };
  }
  throw new Error('200 emulated links are open');
}

/** Compiled once per version of its source, into a folder that git ignores. */
function emulator(): string {
  const root = repositoryRoot();
  const source = join(root, 'test/harness/netlab/emulate-link.c');
  const version = createHash('sha256').update(readFileSync(source)).digest('hex').slice(0, 12);
  const binary = join(root, '.cache/netlab', `emulate-link-${version}`);
  if (!existsSync(binary)) {
    mkdirSync(dirname(binary), { recursive: true });
    const fresh = `${binary}.${process.pid}`;
    execFileSync('gcc', ['-O2', '-Wall', '-o', fresh, source, '-lm'], { stdio: 'pipe' });
    renameSync(fresh, binary);
  }
  return binary;
}

/** Found by walking up from this file, which also runs compiled from another folder. */
function repositoryRoot(): string {
  for (let folder = import.meta.dirname; folder !== dirname(folder); folder = dirname(folder)) {
    if (existsSync(join(folder, 'test/harness/netlab/emulate-link.c'))) return folder;
  }
  throw new Error('test/harness/netlab/emulate-link.c is not above this file');
}

function onPath(tool: string): boolean {
  const folders = [...(process.env['PATH'] ?? '').split(':'), '/usr/sbin', '/sbin'];
  return folders.some((folder) => folder !== '' && existsSync(join(folder, tool)));
}

function isWritable(path: string): boolean {
  try {
    accessSync(path, constants.R_OK | constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

function lastLine(err: unknown): string {
  const stderr = typeof err === 'object' && err !== null && 'stderr' in err ? String(err.stderr) : '';
  const text = stderr.trim() === '' ? String(err) : stderr;
  return text.trim().split('\n').at(-1) ?? '';
}

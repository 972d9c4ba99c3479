// Shard events of a random sequence: killed, drained, started on a used port, out of open files.
import { execFile } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { promisify } from 'node:util';
import { end } from '../../harness/end.ts';
import type { Service, SmallCluster } from '../../harness/small-cluster.ts';
import { elapsed, until } from '../../harness/small-cluster.ts';

const run = promisify(execFile);

/** Short delays, so that moves happen within a sequence. */
const SHARD_ENV = {
  WEIR_MIN_STAY_MS: '0',
  WEIR_DRAIN_GRACE_MS: '300',
  WEIR_DRAIN_WITHIN_MS: '2000',
} as const;
/** Files that a shard may still open while its limit is lowered. */
const SPARE_FILES = 4;
const POOLS = ['desktop', 'desktop', 'mobile'] as const;

interface Member {
  readonly pool: string;
  readonly id: string;
  readonly service: Service;
}

export class Shards {
  readonly #cluster: SmallCluster;
  #members: Member[] = [];
  #started = 0;

  constructor(cluster: SmallCluster) {
    this.#cluster = cluster;
  }

  async start(): Promise<void> {
    for (const pool of POOLS) await this.#add(pool, (id) => this.#cluster.shard(pool, id, SHARD_ENV));
  }

  /** Shards that should be alive. */
  get living(): readonly Member[] {
    return this.#members;
  }

  /** Kills a shard, then starts a replacement. */
  async kill(which: number): Promise<void> {
    const member = this.#take(which);
    if (member === undefined) return;
    const { pool, service } = member;
    await end(service.process, 'SIGKILL');
    await this.#replace(pool);
  }

  /** Starts the replacement first, like a rollout. */
  async drain(which: number): Promise<void> {
    const member = this.#take(which);
    if (member === undefined) return;
    const { pool, service } = member;
    await this.#replace(pool);
    const code = await end(service.process, 'SIGTERM');
    if (code !== 0) throw new Error(`a drained shard ended with ${code}`);
  }

  /** Starts a shard on a used port: it must end. */
  async takePort(which: number): Promise<void> {
    const member = this.#at(which);
    if (member === undefined) return;
    const { pool, service } = member;
    const env = { ...SHARD_ENV, WEIR_PORT: new URL(service.url).port };
    const second = await this.#cluster
      .startShard(pool, `taken-${this.#started++}`, env)
      .catch(() => undefined);
    if (second === undefined) return;
    // If the first shard was killed meanwhile, its port is free.
    if (isAlive(service)) throw new Error('a shard listens on a port that is taken');
    await end(second.process, 'SIGKILL');
  }

  /** Lets a shard run out of open files for a while. */
  async exhaustFiles(which: number, ms: number): Promise<void> {
    const service = this.#at(which)?.service;
    const pid = service?.process.pid;
    if (service === undefined || pid === undefined) return;
    const before = await softLimit(pid);
    const open = (await readdir(`/proc/${pid}/fd`)).length;
    await run('prlimit', ['--pid', String(pid), `--nofile=${open + SPARE_FILES}:`]);
    await elapsed(ms);
    if (isAlive(service)) await run('prlimit', ['--pid', String(pid), `--nofile=${before}:`]);
  }

  /** Undefined while killed shards are being replaced and no other is left. */
  #at(which: number): Member | undefined {
    return this.#members[which % Math.max(1, this.#members.length)];
  }

  #take(which: number): Member | undefined {
    const member = this.#at(which);
    this.#members = this.#members.filter((one) => one !== member);
    return member;
  }

  async #replace(pool: string): Promise<void> {
    await this.#add(pool, (id) => this.#cluster.startShard(pool, id, SHARD_ENV));
  }

  async #add(pool: string, start: (id: string) => Promise<Service>): Promise<void> {
    const id = `${pool}-${++this.#started}`;
    this.#members.push({ pool, id, service: await start(id) });
  }
}

function isAlive({ process }: Service): boolean {
  return process.exitCode === null && process.signalCode === null;
}

async function softLimit(pid: number): Promise<string> {
  const args = ['--pid', String(pid), '--nofile', '--output=SOFT', '--noheadings'];
  return (await run('prlimit', args)).stdout.trim();
}

/** Waits until every shard has read everything that NATS has. */
export async function allCurrent(members: readonly Member[]): Promise<void> {
  for (const { id, service } of members) {
    await until(
      async () => {
        if (!isAlive(service)) return true;
        const answer = await fetch(`${service.admin}/metrics`).catch(() => undefined);
        return (await answer?.text())?.includes('\nweir_shard_stale 0\n') ?? false;
      },
      `${id} is current`,
      30_000,
    );
  }
}

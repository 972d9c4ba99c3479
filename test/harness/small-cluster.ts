// A small real cluster for one test file: nats-server, router and shards as processes on free ports.
import type { ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import type { NatsServer } from '@weir/local';
import { readReadiness, ServiceProcess, startNatsServer } from '@weir/local';
import { end } from './end.ts';
import { expectNeverBack } from './never-back.ts';
import { expectOneCause } from './one-cause.ts';

export interface Service {
  readonly name: 'router' | 'shard' | 'publisher' | 'control';
  readonly url: string;
  readonly admin: string;
  readonly process: ChildProcess;
  /** The last thousand lines of its output. */
  readonly log: readonly string[];
}

const MAX_LINES = 1_000;
/** A service listens at once; the rest of the time is for a busy machine. */
const LISTEN_MS = 60_000;
/** `WEIR_TEST_THREADS=3 npm test`: fan-out threads of every shard for which the test sets no number. */
const THREADS = process.env['WEIR_TEST_THREADS'];

export class SmallCluster {
  readonly nats: NatsServer;
  readonly #services: Service[] = [];
  readonly #env: Readonly<Record<string, string>>;
  #router: Service | undefined;

  private constructor(nats: NatsServer, env: Readonly<Record<string, string>>) {
    this.nats = nats;
    this.#env = {
      WEIR_NATS_URL: nats.url,
      WEIR_TICKET_KEYS: `test:${randomBytes(32).toString('base64url')}`,
      WEIR_HOST: '127.0.0.1',
      WEIR_PORT: '0',
      WEIR_ADMIN_HOST: '127.0.0.1',
      WEIR_ADMIN_PORT: '0',
      WEIR_LOG_LEVEL: 'error',
      ...env,
    };
  }

  /** `env` is for all services, `routerEnv` for the router alone, `natsConfig` adds lines to the NATS configuration. */
  static async start(
    env: Readonly<Record<string, string>> = {},
    routerEnv: Readonly<Record<string, string>> = {},
    natsConfig: readonly string[] = [],
  ): Promise<SmallCluster> {
    const cluster = new SmallCluster(await startNatsServer({ config: natsConfig }), env);
    cluster.#router = await cluster.startRouter(routerEnv);
    return cluster;
  }

  /** Starts one more router and waits only until it listens. */
  startRouter(env: Readonly<Record<string, string>> = {}): Promise<Service> {
    return this.#run('router', {
      WEIR_CONNECTS_PER_SECOND_PER_ADDRESS: '10000',
      WEIR_CONNECT_BURST_PER_ADDRESS: '10000',
      ...env,
    });
  }

  /** The keys of tickets and hints that the services use. */
  get ticketKeys(): string {
    return String(this.#env['WEIR_TICKET_KEYS']);
  }

  get router(): Service {
    if (this.#router === undefined) throw new Error('there is no router');
    return this.#router;
  }

  get routerUrl(): string {
    return this.router.url;
  }

  /** Starts a publisher. */
  publisher(env: Readonly<Record<string, string>> = {}): Promise<Service> {
    return this.#run('publisher', { WEIR_TICKET_KEYS: undefined, ...env });
  }

  /** Starts a control; without Kubernetes unless `env` says otherwise. */
  control(env: Readonly<Record<string, string>> = {}): Promise<Service> {
    return this.#run('control', { WEIR_TICKET_KEYS: undefined, ...env });
  }

  /** Services that have not ended. */
  get running(): readonly Service[] {
    return this.#services.filter(({ process }) => process.exitCode === null && process.signalCode === null);
  }

  /** Starts a shard and waits until it is ready and the router knows it. */
  async shard(pool: string, id: string, env: Readonly<Record<string, string>> = {}): Promise<Service> {
    // The router keeps a killed shard for some seconds, and would count it for the new one.
    await this.#routerKnowsShards();
    const service = await this.startShard(pool, id, env);
    await until(() => isReady(service), `${id} is ready`);
    await this.#routerKnowsShards();
    return service;
  }

  /**
   * Waits until the router knows as many shards as are running. A test that kills one waits for its `end` first: until then
   * it counts as running, and the router may still lead clients to it.
   */
  #routerKnowsShards(): Promise<void> {
    return until(async () => {
      const body: unknown = await (await fetch(`${this.#router?.admin}/readyz`)).json();
      return Object(Object(body).info).shards === this.running.filter(({ name }) => name === 'shard').length;
    }, 'the router knows the running shards');
  }

  /** Starts a shard and waits only until it listens. */
  startShard(pool: string, id: string, env: Readonly<Record<string, string>> = {}): Promise<Service> {
    return this.#run('shard', {
      WEIR_POOL: pool,
      WEIR_SHARD_ID: id,
      WEIR_ROUTER_URL: this.routerUrl,
      WEIR_DRAIN_GRACE_MS: '1200',
      WEIR_DRAIN_WINDOW_MS: '500',
      WEIR_VERIFY_MS: '1000',
      ...(THREADS === undefined ? {} : { WEIR_THREADS: THREADS }),
      ...env,
    });
  }

  /**
   * Ends everything. Fails if a client was shown something older than before, or if the counts of a live process do not
   * add up. `uncounted` says why a test's processes cannot be asked for their counts.
   */
  async stop({ uncounted }: { readonly uncounted?: string } = {}): Promise<void> {
    const counted = uncounted === undefined ? expectOneCause(this.running) : Promise.resolve();
    const [counts] = await Promise.allSettled([counted]);
    await Promise.all(this.running.map(({ process }) => end(process, 'SIGKILL')));
    await this.nats.stop();
    expectNeverBack();
    if (counts.status === 'rejected') throw counts.reason;
  }

  /** `OPEN_FILES` in `env` is not a setting but the process's limit of open files. */
  async #run(name: Service['name'], env: Readonly<Record<string, string | undefined>>): Promise<Service> {
    const { OPEN_FILES: openFiles, ...settings } = env;
    const log: string[] = [];
    const started = new ServiceProcess({
      name,
      script: fileURLToPath(new URL(`../../services/${name}/dist/bundle/main.js`, import.meta.url)),
      env: { PATH: process.env['PATH'], ...this.#env, ...settings },
      onLine: (line) => keep(log, line),
      ...(openFiles === undefined ? {} : limited(openFiles)),
    });
    try {
      const { url, adminUrl: admin } = await started.untilListening(AbortSignal.timeout(LISTEN_MS));
      const service = { name, url, admin, process: started.child, log };
      this.#services.push(service);
      return service;
    } catch (error) {
      await end(started.child, 'SIGKILL');
      throw error;
    }
  }
}

/** Starts Node through a shell that lowers the limit of open files. */
function limited(openFiles: string): { execPath: string; execArgv: string[] } {
  return {
    execPath: '/bin/sh',
    execArgv: ['-c', `ulimit -n ${openFiles} && exec "$0" "$@"`, process.execPath],
  };
}

/** Prints a line of a process, and keeps the last ones. */
function keep(log: string[], line: string): void {
  process.stderr.write(`${line}\n`);
  log.push(line);
  if (log.length > MAX_LINES) log.shift();
}

/** Waits for a condition in another process; fails with `what`. */
export async function until(
  holds: () => boolean | Promise<boolean>,
  what: string,
  deadlineMs = 30_000,
): Promise<void> {
  const endMs = performance.now() + deadlineMs;
  while (!(await holds())) {
    if (performance.now() > endMs) throw new Error(`waited ${deadlineMs} ms in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Waits for a period that a test case prescribes; never for an event. */
export function elapsed(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Whether a service reports that it is ready; no answer means no. */
export async function isReady(service: Service): Promise<boolean> {
  return (await readReadiness(service.admin)).ready;
}

/** The value of one series in /metrics; `series` is its name with its labels. */
export async function metric(service: Service, series: string): Promise<number> {
  const text = await (await fetch(`${service.admin}/metrics`)).text();
  const line = text.split('\n').find((one) => one.startsWith(`${series} `));
  if (line === undefined) throw new Error(`there is no series ${series}`);
  return Number(line.slice(series.length + 1));
}

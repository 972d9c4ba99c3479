// Owns one service process: start until it is ready, restart after a crash on the same ports, end in time.
// Must never leave a process behind, and never give up on one that crashes.
import { setTimeout as delay } from 'node:timers/promises';
import { isFreePort, onChosenPort } from '../ports.ts';
import { backOffMs, STABLE_MS } from './back-off.ts';
import { readReadiness } from './readiness.ts';
import { ServiceProcess } from './service-process.ts';
import type { Listening, ServiceEvent, ServiceSpec, ServiceStatus } from './service-spec.ts';

export interface SupervisedServiceOptions {
  readonly spec: ServiceSpec;
  /** What every service gets of the environment, beside its own. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly on: (event: ServiceEvent) => void;
  readonly random?: () => number;
  readonly timing?: Partial<Timing>;
}

export interface Timing {
  /** From the start of the process to `/readyz` saying yes, the first time. */
  readonly startMs: number;
  /** From SIGTERM to SIGKILL. */
  readonly stopMs: number;
  /** Between two looks at `/readyz`. */
  readonly lookMs: number;
}

const TIMING: Timing = { startMs: 60_000, stopMs: 8000, lookMs: 2000 };
const FIRST_LOOK_MS = 50;

export class SupervisedService {
  readonly #options: SupervisedServiceOptions;
  readonly #timing: Timing;
  #process: ServiceProcess | undefined;
  #pid: number | undefined;
  #gone: Promise<unknown> = Promise.resolve();
  #listening: Listening | undefined;
  #stopping = new AbortController();
  #crashes = 0;
  #upSinceMs = Number.POSITIVE_INFINITY;

  constructor(options: SupervisedServiceOptions) {
    this.#options = options;
    this.#timing = { ...TIMING, ...options.timing };
  }

  get spec(): ServiceSpec {
    return this.#options.spec;
  }

  /** Where it is; undefined before it has listened for the first time. After a crash the pid is the last one's. */
  get status(): ServiceStatus | undefined {
    if (this.#listening === undefined || this.#pid === undefined) return undefined;
    return { spec: this.spec, pid: this.#pid, ...this.#listening };
  }

  /** Starts it and resolves when it is ready; rejects where it ends or stays unready. From then on it is kept up. */
  async start(): Promise<void> {
    await this.#firstRun();
    void this.#keepUp();
    void this.#watchReadiness();
  }

  /** Asks it to end (a shard is killed), kills it where it does not in time, and resolves when it is gone. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    // No drain: the shards that could take its clients are being stopped, too.
    this.#process?.child.kill(this.spec.drains === true ? 'SIGKILL' : 'SIGTERM');
    const late = setTimeout(() => this.kill(), this.#timing.stopMs);
    await this.#gone;
    clearTimeout(late);
  }

  /** Sends a signal as a person might; false where no process runs. What ends by it is started again. */
  signal(signal: NodeJS.Signals): boolean {
    return this.#process?.child.kill(signal) ?? false;
  }

  /** Ends it at once; does not wait. */
  kill(): void {
    this.#stopping.abort();
    this.#process?.child.kill('SIGKILL');
  }

  #firstRun(): Promise<void> {
    return onChosenPort(
      this.spec.port ?? 0,
      (port) => this.#run(port),
      async (_, port) => this.#process?.child.exitCode === 1 && !(await isFreePort(port)),
    );
  }

  /** On `port` the first time, and on the same port from then on. */
  async #run(port = 0): Promise<void> {
    const again = this.#listening !== undefined;
    const process = this.#fork(port);
    const ended = this.#gone.then(() => {
      throw new Error(this.#startError(`ended at once (${process.howItEnded})`));
    });
    const late = AbortSignal.timeout(this.#timing.startMs);
    await Promise.race([ended, this.#untilReady(process, late)]);
    this.#upSinceMs = performance.now();
    const service = this.status;
    if (service === undefined) return;
    const { spec, on } = this.#options;
    const taken = !again && spec.port !== undefined && spec.port !== 0 && port !== spec.port;
    if (taken) on({ kind: 'portTaken', spec, usual: spec.port, port: Number(new URL(service.url).port) });
    on({ kind: 'up', service, again });
  }

  get #portSetting(): string {
    return this.spec.portSetting ?? 'WEIR_PORT';
  }

  #fork(port: number): ServiceProcess {
    const { spec, env, on } = this.#options;
    const process = new ServiceProcess({
      name: `${spec.name} ${spec.id}`,
      script: spec.script,
      env: { ...env, ...spec.env, [this.#portSetting]: String(port), ...this.#samePorts() },
      detached: true, // its own group: Ctrl-C in a terminal reaches the supervisor alone, which then stops all in order
      onLine: (line) => on({ kind: 'output', spec, line }),
    });
    this.#process = process;
    this.#pid = process.child.pid;
    this.#gone = process.gone;
    return process;
  }

  /** The ports that it had: its clients and `.weir/local.json` know them. */
  #samePorts(): Record<string, string> {
    if (this.#listening === undefined) return {};
    const { url, adminUrl } = this.#listening;
    return { [this.#portSetting]: new URL(url).port, WEIR_ADMIN_PORT: new URL(adminUrl).port };
  }

  async #untilReady(process: ServiceProcess, late: AbortSignal): Promise<void> {
    const listening = await process.untilListening(late);
    this.#listening = listening;
    for (;;) {
      const { ready, reasons } = await readReadiness(listening.adminUrl);
      if (ready) return;
      if (process.hasEnded) return; // the caller reports it
      if (late.aborted) throw new Error(this.#startError(`is not ready: ${reasons.join(', ')}`));
      await delay(FIRST_LOOK_MS);
    }
  }

  /** Starts it again, a little later, whenever it has ended without `stop`. */
  async #keepUp(): Promise<void> {
    const { random = Math.random, on } = this.#options;
    const wanted = this.#stopping.signal;
    for (;;) {
      await this.#gone;
      if (wanted.aborted) return;
      const stopped = this.#process?.child.exitCode === 0; // a person sent SIGTERM to this one service
      const lived = performance.now() - this.#upSinceMs;
      this.#crashes = stopped ? 0 : lived >= STABLE_MS ? 1 : this.#crashes + 1;
      const retryMs = backOffMs(this.#crashes, random);
      const how = this.#process?.howItEnded ?? 'it did not start';
      this.#process = undefined;
      if (stopped) on({ kind: 'stopped', spec: this.spec, retryMs });
      else on({ kind: 'crashed', spec: this.spec, how, retryMs });
      await delay(retryMs, undefined, { signal: wanted }).catch(() => {});
      if (wanted.aborted) return;
      this.#upSinceMs = Number.POSITIVE_INFINITY;
      // Where it ends before it is ready, the next turn of this loop sees that; where it hangs, it is ended.
      await this.#run().catch(() => this.#process?.child.kill('SIGKILL'));
    }
  }

  async #watchReadiness(): Promise<void> {
    const { on } = this.#options;
    const wanted = this.#stopping.signal;
    let unready: number | undefined; // the process that was last told of as not ready
    for (;;) {
      await delay(this.#timing.lookMs, undefined, { signal: wanted, ref: false }).catch(() => {});
      if (wanted.aborted) return;
      const pid = this.#process?.child.pid;
      if (this.#listening === undefined || pid === undefined) continue;
      if (!Number.isFinite(this.#upSinceMs)) continue; // it is starting
      const { ready, reasons } = await readReadiness(this.#listening.adminUrl);
      if (wanted.aborted || this.#process?.child.pid !== pid) continue; // ended while we asked: another event's business
      if (!ready && unready !== pid) on({ kind: 'unready', spec: this.spec, reasons });
      if (ready && unready === pid) on({ kind: 'readyAgain', spec: this.spec });
      unready = ready ? undefined : pid;
    }
  }

  /** In words; what the process itself said about it has been told as events. */
  #startError(what: string): string {
    return `${this.spec.name} ${this.spec.id} ${what}`;
  }
}

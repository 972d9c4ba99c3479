// Owns the running cluster: NATS, then the services phase by phase; crashes, restarts, and the end in reverse order.
// Knows no service by name and prints nothing: the caller provides the plan and handles the events.
import { setTimeout as delay } from 'node:timers/promises';
import { backOffMs } from './supervise/back-off.ts';
import { SupervisedService, type Timing } from './supervise/service.ts';
import type { Phase, ServiceEvent, ServiceStatus } from './supervise/service-spec.ts';

/** The cluster's view of its NATS server. For a server that the cluster did not start, only the URL is known. */
export interface ClusterNats {
  readonly url: string;
  stop(): Promise<void>;
  restart(): Promise<void>;
  onCrash(listener: (how: string) => void): void;
  /** Ends a server of our own until `restart`; missing where the server is somebody else's. */
  kill?(signal: NodeJS.Signals): Promise<void>;
}

export type NatsEvent =
  | { readonly kind: 'natsCrashed'; readonly how: string; readonly retryMs: number }
  | { readonly kind: 'natsUp'; readonly url: string };

export interface ClusterOptions {
  readonly nats: ClusterNats;
  readonly phases: readonly Phase[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly on: (event: ServiceEvent | NatsEvent) => void;
  readonly timing?: Partial<Timing>;
  readonly random?: () => number;
}

export class Cluster {
  readonly #options: ClusterOptions;
  /** One list per phase, in the order of their starts. */
  readonly #started: SupervisedService[][] = [];
  #stopping: Promise<void> | undefined;

  constructor(options: ClusterOptions) {
    this.#options = options;
    options.nats.onCrash((how) => void this.#reviveNats(how));
  }

  /** Every service that has listened, in the order of the plan. */
  services(): readonly ServiceStatus[] {
    return this.#started.flat().flatMap((service) => service.status ?? []);
  }

  /** Resolves when every service of every phase is ready; rejects at the first that fails. Call `stop` then. */
  async start(): Promise<void> {
    const urlOf = (id: string): string => {
      const known = this.services().find(({ spec }) => spec.id === id);
      if (known === undefined) throw new Error(`no service ${id} in the earlier phases`);
      return known.url;
    };
    for (const phase of this.#options.phases) {
      if (this.#stopping !== undefined) return;
      const { env, on, timing = {}, random = Math.random } = this.#options;
      const services = phase(urlOf).map((spec) => new SupervisedService({ spec, env, on, timing, random }));
      this.#started.push(services);
      await Promise.all(services.map((service) => service.start()));
    }
  }

  /** Sends a signal to the process of a service, which is started again afterwards; false where none runs. */
  signal(id: string, signal: NodeJS.Signals): boolean {
    return this.#started.flat().some((service) => service.spec.id === id && service.signal(signal));
  }

  /** Ends everything, last phase first, NATS at the very end. May be called at any time and more than once. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stopAll();
    return this.#stopping;
  }

  /** Kills the service processes at once, without waiting. NATS notices that this process is gone and ends too. */
  abandon(): void {
    this.#stopping ??= Promise.resolve();
    for (const service of this.#started.flat()) service.kill();
  }

  async #stopAll(): Promise<void> {
    for (const services of [...this.#started].reverse()) {
      await Promise.all(services.map((service) => service.stop()));
    }
    await this.#options.nats.stop();
  }

  async #reviveNats(how: string): Promise<void> {
    const { nats, on, random = Math.random } = this.#options;
    for (let crashes = 1; this.#stopping === undefined; crashes += 1) {
      const retryMs = backOffMs(crashes, random);
      on({ kind: 'natsCrashed', how, retryMs });
      await delay(retryMs);
      if (this.#stopping !== undefined) return;
      try {
        await nats.restart();
        on({ kind: 'natsUp', url: nats.url });
        return;
      } catch (error) {
        how = error instanceof Error ? error.message : String(error);
      }
    }
  }
}

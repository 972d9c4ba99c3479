// The stream management of a JetStream server, with latency. It has the rules that matter to us: a name is one stream,
// subjects do not overlap, an update replaces the fields it names.
import type { StreamConfig, StreamInfo } from '@nats-io/jetstream';
import {
  DiscardPolicy,
  JetStreamApiError,
  PersistMode,
  RetentionPolicy,
  StorageType,
} from '@nats-io/jetstream';
import type { StreamWorld } from '../nats/ensure-streams.ts';
import type { VirtualTime } from './virtual-time.ts';

/** Defaults that a server uses for fields missing at creation. */
const defaults: Omit<StreamConfig, 'name'> = {
  subjects: [],
  retention: RetentionPolicy.Limits,
  storage: StorageType.File,
  max_consumers: -1,
  sealed: false,
  max_msgs_per_subject: -1,
  max_msgs: -1,
  max_age: 0,
  max_bytes: -1,
  max_msg_size: -1,
  discard: DiscardPolicy.Old,
  discard_new_per_subject: false,
  duplicate_window: 120_000_000_000,
  allow_rollup_hdrs: false,
  num_replicas: 1,
  deny_delete: false,
  deny_purge: false,
  allow_direct: false,
  mirror_direct: false,
  first_seq: 0,
  allow_msg_counter: false,
  persist_mode: PersistMode.Default,
};

/** A full configuration from a partial one. */
export function streamConfig(given: Partial<StreamConfig> & { readonly name: string }): StreamConfig {
  return { ...defaults, ...given };
}

/** An error answer of the API. */
export function apiError(errCode: number, status = 400, description = 'refused'): JetStreamApiError {
  return new JetStreamApiError({ code: status, err_code: errCode, description });
}

/** Streams by name; requests take 1 to 10 ms each way. */
export class FakeJetStream {
  readonly streams = new Map<string, StreamConfig>();
  updates = 0;
  creations = 0;
  /** Errors for the next requests, one each. */
  readonly failures: Error[] = [];
  readonly #time: VirtualTime;
  readonly #random: () => number;

  constructor(time: VirtualTime, random: () => number) {
    this.#time = time;
    this.#random = random;
  }

  /** The API for one process. */
  readonly api: StreamWorld['api'] = {
    info: (name) => this.#request(() => this.#found(name)),
    add: (config) =>
      this.#request(() => {
        const wanted = streamConfig(config);
        const existing = this.streams.get(config.name);
        if (existing !== undefined) {
          if (JSON.stringify(existing) !== JSON.stringify(wanted)) throw apiError(10_058);
          return info(existing);
        }
        if ([...this.streams.values()].some((other) => shares(other, wanted))) throw apiError(10_065);
        this.creations += 1;
        this.streams.set(config.name, wanted);
        return info(wanted);
      }),
    update: async (name, changes = {}) => {
      // The library reads, merges and writes.
      const before = await this.#request(() => this.#found(name));
      return this.#request(() => {
        this.updates += 1;
        this.streams.set(name, { ...before.config, ...changes });
        return this.#found(name);
      });
    },
    names: (subject = '') => ({
      next: () =>
        this.#request(() =>
          [...this.streams.values()].filter((s) => s.subjects.includes(subject)).map((s) => s.name),
        ),
      [Symbol.asyncIterator]: () => {
        throw new Error('not used');
      },
    }),
  };

  #found(name: string): StreamInfo {
    const config = this.streams.get(name);
    if (config === undefined) throw apiError(10_059, 404);
    return info(config);
  }

  async #request<T>(act: () => T): Promise<T> {
    const failure = this.failures.shift();
    await this.#time.sleep(1 + this.#random() * 9);
    if (failure !== undefined) throw failure;
    // The server has applied the change, even if its answer is late.
    const outcome = attempt(act);
    await this.#time.sleep(1 + this.#random() * 9);
    if ('error' in outcome) throw outcome.error;
    return outcome.value;
  }
}

function attempt<T>(act: () => T): { readonly value: T } | { readonly error: unknown } {
  try {
    return { value: act() };
  } catch (error) {
    return { error };
  }
}

function info(config: StreamConfig): StreamInfo {
  // Callers read only the configuration of this answer.
  return { config: structuredClone(config) } as StreamInfo;
}

function shares(a: StreamConfig, b: StreamConfig): boolean {
  return a.subjects.some((subject) => b.subjects.includes(subject));
}

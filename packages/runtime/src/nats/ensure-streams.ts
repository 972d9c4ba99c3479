// Creates and updates the streams of a service, while other processes do the same (docs/reliability.md, case B8).
// It never lowers a limit and never changes a stream of others.
import { setTimeout as sleep } from 'node:timers/promises';
import type { StreamAPI, StreamInfo } from '@nats-io/jetstream';
import { JetStreamApiError, jetstreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import type { Logger } from 'pino';
import type { Clock } from '../clock.ts';
import { systemClock } from '../clock.ts';
import { JetStreamDisabledError, StreamConflictError, StreamSetupError } from './stream-errors.ts';
import type { StreamDefinition } from './stream-plan.ts';
import { newStream, planUpdate } from './stream-plan.ts';

/** The parts of JetStream's API and of the world that this needs. */
export interface StreamWorld {
  readonly api: Pick<StreamAPI, 'info' | 'add' | 'update' | 'names'>;
  readonly sleep: (ms: number) => Promise<unknown>;
  readonly clock: Clock;
  /** 0 ≤ value < 1. */
  readonly random: () => number;
}

/** Before updating, wait a random part of this and re-read: another process may have done it. */
const politenessMs = 1_000;
/** After an update, wait this long and re-read: a process that decided earlier may overwrite it. */
const settleMs = 250;
/**
 * Before creating a stream that was there a moment ago, wait this long, and up to as long again. NATS forgets a deleted
 * stream's name before it moves its files away (2.15.1, `fileStore.Delete`): a stream created in between loses its files.
 */
const deletionMs = 500;
const retryMs = 250;
const defaultDeadlineMs = 30_000;
const noJetStreamDeadlineMs = 2_000;
const maxUpdates = 5;

/** Codes of the JetStream API that decide what to do. */
const apiCodes = { nameInUse: 10058, notFound: 10059, overlap: 10065 } as const;
const disabledCodes = [10039, 10076];
/** No room for `maxBytes` in memory or storage; waiting does not help. */
const noRoomCodes = [10028, 10047];
/** Replicas without a cluster, limits of the account and the like. */
const clientErrors = { min: 400, max: 499 } as const;

/**
 * Creates missing streams, updates those that must change, and returns the streams in the order of the definitions.
 * Retries through time-outs, reconnects and servers that are not ready, for `deadlineMs` (default 30 s).
 * `again`: the caller saw the streams before; one that is missing now is being deleted, and is given time for that.
 * Rejects with `StreamConflictError`, `JetStreamDisabledError` or `StreamSetupError`.
 */
export async function ensureStreams(options: {
  readonly connection: NatsConnection;
  readonly streams: readonly StreamDefinition[];
  readonly logger: Logger;
  readonly deadlineMs?: number;
  readonly again?: boolean;
}): Promise<readonly StreamInfo[]> {
  const { connection, streams, logger, deadlineMs = defaultDeadlineMs, again = false } = options;
  const manager = await jetstreamManager(connection, { checkAPI: false });
  const world: StreamWorld = { api: manager.streams, sleep, clock: systemClock, random: Math.random };
  return ensureStreamsIn(world, { streams, logger, deadlineMs, again });
}

/** `ensureStreams` with API, clock and randomness passed in. */
export async function ensureStreamsIn(
  world: StreamWorld,
  options: {
    readonly streams: readonly StreamDefinition[];
    readonly logger: Logger;
    readonly deadlineMs: number;
    readonly again: boolean;
  },
): Promise<readonly StreamInfo[]> {
  const infos: StreamInfo[] = [];
  for (const definition of options.streams) {
    infos.push(await new StreamKeeper(world, definition, options).ensure(options.deadlineMs));
  }
  return infos;
}

/** One stream, once. */
class StreamKeeper {
  readonly #world: StreamWorld;
  readonly #definition: StreamDefinition;
  readonly #logger: Logger;
  #updates = 0;
  /** The stream may be in the middle of its deletion. */
  #mayBeGoing: boolean;

  constructor(
    world: StreamWorld,
    definition: StreamDefinition,
    { logger, again }: { readonly logger: Logger; readonly again: boolean },
  ) {
    this.#world = world;
    this.#definition = definition;
    this.#logger = logger;
    this.#mayBeGoing = again;
  }

  async ensure(deadlineMs: number): Promise<StreamInfo> {
    const { clock } = this.#world;
    const startedMs = clock.monotonicMs();
    for (;;) {
      try {
        const info = await this.#attempt();
        if (info !== undefined) return info;
      } catch (error) {
        const patienceMs = isDisabled(error) ? Math.min(deadlineMs, noJetStreamDeadlineMs) : deadlineMs;
        const waitedMs = clock.monotonicMs() - startedMs;
        if (waitedMs >= patienceMs || !mayPass(error)) throw await this.#explain(error);
      }
      if (clock.monotonicMs() - startedMs >= deadlineMs) throw this.#failed('others kept changing it');
      await this.#world.sleep(retryMs * (1 + this.#world.random()));
    }
  }

  /** The stream as it must be; undefined if we or others changed it, so that the caller must re-read. */
  async #attempt(): Promise<StreamInfo | undefined> {
    const { api, sleep: wait, random } = this.#world;
    const info = await this.#read();
    if (info === undefined) {
      if (!this.#mayBeGoing) return this.#create();
      this.#mayBeGoing = false;
      await wait(deletionMs * (1 + random()));
      return undefined;
    }
    if (!this.#mustChange(info)) return this.#accept(info);
    await wait(politenessMs * random());
    const again = await this.#read();
    if (again === undefined) return undefined;
    const { changes } = planUpdate(again.config, this.#definition);
    if (!this.#mustChange(again)) return this.#accept(again);
    if (this.#updates >= maxUpdates) throw this.#failed('others kept changing it');
    this.#updates += 1;
    await api.update(this.#definition.name, changes);
    this.#logger.info({ stream: this.#definition.name, settings: Object.keys(changes) }, 'stream updated');
    await wait(settleMs);
    return undefined;
  }

  async #read(): Promise<StreamInfo | undefined> {
    try {
      return await this.#world.api.info(this.#definition.name);
    } catch (error) {
      if (codeOf(error) === apiCodes.notFound) return undefined;
      throw error;
    }
  }

  async #create(): Promise<StreamInfo | undefined> {
    try {
      const info = await this.#world.api.add(newStream(this.#definition));
      this.#logger.info({ stream: this.#definition.name }, 'stream created');
      return info;
    } catch (error) {
      // Another process was faster, with other settings.
      if (codeOf(error) === apiCodes.nameInUse) return undefined;
      throw error;
    }
  }

  #mustChange(info: StreamInfo): boolean {
    const { name } = this.#definition;
    const { changes, conflict } = planUpdate(info.config, this.#definition);
    if (conflict !== undefined) {
      const advice = 'delete or rename it, or choose another subject prefix';
      throw new StreamConflictError(
        name,
        `a stream named ${name} exists and is not ours: ${conflict}; ${advice}`,
      );
    }
    return Object.keys(changes).length > 0;
  }

  #accept(info: StreamInfo): StreamInfo {
    const { name: stream, storage } = this.#definition;
    const { larger } = planUpdate(info.config, this.#definition);
    if (larger.length > 0) this.#logger.info({ stream, larger }, 'stream keeps more than configured');
    if (info.config.storage !== storage) {
      this.#logger.warn(
        { stream, storage: info.config.storage },
        'stream has another storage than configured',
      );
    }
    return info;
  }

  async #explain(error: unknown): Promise<Error> {
    if (isOurs(error)) return error;
    if (isDisabled(error)) return new JetStreamDisabledError({ cause: error });
    if (codeOf(error) === apiCodes.overlap) return this.#conflict(error);
    const reason = error instanceof Error ? error.message : 'unknown';
    const { maxBytes } = this.#definition;
    const room = `; it asks for ${maxBytes} bytes: configure less, or give the NATS server more storage`;
    return this.#failed(noRoomCodes.includes(codeOf(error) ?? 0) ? reason + room : reason, error);
  }

  #failed(reason: string, cause?: unknown): StreamSetupError {
    return new StreamSetupError(this.#definition.name, reason, { cause });
  }

  async #conflict(cause: unknown): Promise<StreamConflictError> {
    const { name, subjects } = this.#definition;
    const foreign = new Set<string>();
    for (const subject of subjects) {
      const names = await this.#world.api
        .names(subject)
        .next()
        .catch(() => []);
      for (const found of names) if (found !== name) foreign.add(found);
    }
    const [first = 'unknown'] = foreign;
    const others = [...foreign].join(', ') || 'another stream';
    return new StreamConflictError(
      first,
      `the subjects of ${name} (${subjects.join(', ')}) overlap with those of ${others}: delete it, change its subjects, or choose another subject prefix`,
      { cause },
    );
  }
}

function codeOf(error: unknown): number | undefined {
  return error instanceof JetStreamApiError ? error.code : undefined;
}

function isOurs(error: unknown): error is StreamConflictError | StreamSetupError {
  return error instanceof StreamConflictError || error instanceof StreamSetupError;
}

function isDisabled(error: unknown): boolean {
  if (error instanceof Error && error.name === 'JetStreamNotEnabled') return true;
  return disabledCodes.includes(codeOf(error) ?? 0);
}

/** Whether to retry: not after a decision, and not on a closed connection. */
function mayPass(error: unknown): boolean {
  if (isOurs(error)) return false;
  if (isDisabled(error)) return true;
  if (error instanceof JetStreamApiError) {
    if (noRoomCodes.includes(error.code)) return false;
    return error.status < clientErrors.min || error.status > clientErrors.max;
  }
  return !(error instanceof Error && /^(?:Closed|Draining)Connection/.test(error.name));
}

// A NATS connection: first connect, reconnects, state, close. It never gives up and never crashes the process while it
// waits. It does not know the messages.
import type {
  NatsConnection,
  NodeConnectionOptions,
  Payload,
  PublishOptions,
  Status,
} from '@nats-io/transport-node';
import { connect } from '@nats-io/transport-node';
import type { Logger } from 'pino';
import type { Registry } from 'prom-client';
import type { Clock } from '../clock.ts';
import { systemClock } from '../clock.ts';
import { logThrottle } from '../logging/log-throttle.ts';
import { registerMetrics } from '../metrics/define-metrics.ts';
import type { Credentials } from './authenticate.ts';
import { authenticate } from './authenticate.ts';
import type { Published } from './bounded-publish.ts';
import { BoundedPublish } from './bounded-publish.ts';
import { forceDisconnect } from './force-disconnect.ts';
import { guardMessages } from './guard-messages.ts';
import type { NatsMetrics } from './nats-metrics.ts';
import { natsMetrics } from './nats-metrics.ts';
import { clockSetBack, reconnectWaitMs } from './pace.ts';
import type { Servers } from './servers.ts';
import { readServers } from './servers.ts';

/** The events for a listener of the link. */
export type NatsStatus = 'connected' | 'disconnected' | 'reconnected';

/** Servers and credentials of NATS. Credentials here win over those in the URLs. */
export interface NatsOptions extends Credentials {
  /** nats:// or tls:// URLs. The user information in them is used and never printed. */
  readonly servers: readonly string[];
  /** The server shows it in its list of connections. */
  readonly name: string;
  readonly logger: Logger;
  /** Gets `weir_nats_connected`, `weir_nats_reconnects_total` and `weir_nats_dropped_messages_total`. */
  readonly registry?: Registry;
}

/** The connection and its state. */
export interface NatsLink {
  /** Whether the server is there now. A server that died silently is noticed within 16 s. */
  readonly connected: boolean;
  /** Resolves at the first connection; rejects only if the link is closed before. */
  ready(): Promise<NatsConnection>;
  /** Undefined before the first connection; the same object over all reconnects. */
  readonly connection: NatsConnection | undefined;
  /** Core publish that refuses instead of queueing without bound. A message that was `sent` may still be lost. */
  publish(subject: string, payload: Payload, options?: PublishOptions): Published;
  /** Adds a listener for future events. A listener must not throw. */
  onStatus(listener: (status: NatsStatus) => void): void;
  /** Drains and closes within 3 s, whatever the server does. */
  close(): Promise<void>;
}

/** The link was closed while `ready()` was waiting. */
export class NatsClosedError extends Error {
  readonly code = 'NATS_CLOSED';

  constructor() {
    super('the NATS link was closed before it was connected');
    this.name = 'NatsClosedError';
  }
}

/** Connect function, clock and randomness; tests pass their own. */
export interface NatsWorld {
  readonly connect: (options: NodeConnectionOptions) => Promise<NatsConnection>;
  readonly clock: Clock;
  /** 0 ≤ value < 1. */
  readonly random: () => number;
}

const world: NatsWorld = { connect, clock: systemClock, random: Math.random };

/** Time for one server to answer. A process without CPU needs seconds; a dead address should not cost 10. */
const connectTimeoutMs = 5_000;
/** Two unanswered pings: a server that vanished silently is noticed in 10 to 16 s. */
const pingIntervalMs = 5_000;
const maxPingOut = 2;
const logEveryMs = 5_000;
const drainMs = 2_000;
const closeMs = 1_000;
/** How long the library may take to give up a dead connection that it knows to be dead. */
const staleGraceMs = 1_000;

/** Opens the link and returns at once; it connects in the background and never stops trying. */
export function openNats(options: NatsOptions, from: NatsWorld = world): NatsLink {
  return new Link(options, from);
}

class Link implements NatsLink {
  readonly #logger: Logger;
  readonly #world: NatsWorld;
  readonly #servers: Servers;
  readonly #connectOptions: NodeConnectionOptions;
  readonly #listeners: ((status: NatsStatus) => void)[] = [];
  readonly #ready: Promise<NatsConnection>;
  readonly #metrics: NatsMetrics | undefined;
  readonly #often: ReturnType<typeof logThrottle>;
  #settleReady: { readonly resolve: (c: NatsConnection) => void; readonly reject: (e: Error) => void };
  #connection: NatsConnection | undefined;
  #publisher: BoundedPublish | undefined;
  #connected = false;
  #closing: Promise<void> | undefined;
  #cancelWait: () => void = () => undefined;
  #stale: NodeJS.Timeout | undefined;

  constructor(options: NatsOptions, from: NatsWorld) {
    this.#logger = options.logger.child({ component: 'nats' });
    this.#world = from;
    this.#servers = readServers(options.servers);
    this.#connectOptions = this.#describe(options);
    this.#often = logThrottle(logEveryMs, from.clock);
    this.#settleReady = { resolve: () => undefined, reject: () => undefined };
    this.#ready = new Promise((resolve, reject) => {
      this.#settleReady = { resolve, reject };
    });
    // There may be no waiter when the link is closed.
    this.#ready.catch(() => undefined);
    if (options.registry !== undefined) {
      const registered = registerMetrics(options.registry, natsMetrics);
      registered.readFrom(this);
      this.#metrics = registered.metrics;
    }
    void this.#connectFirst();
  }

  get connected(): boolean {
    return this.#connected;
  }

  get connection(): NatsConnection | undefined {
    return this.#connection;
  }

  ready(): Promise<NatsConnection> {
    return this.#ready;
  }

  publish(subject: string, payload: Payload, options?: PublishOptions): Published {
    if (!this.#connected || this.#closing !== undefined || this.#publisher === undefined)
      return 'disconnected';
    return this.#publisher.publish(subject, payload, options);
  }

  onStatus(listener: (status: NatsStatus) => void): void {
    this.#listeners.push(listener);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  #describe(options: NatsOptions): NodeConnectionOptions {
    const setBack = clockSetBack(this.#world.clock);
    const authenticator = authenticate({
      credsFile: options.credsFile,
      token: options.token ?? (options.user === undefined ? this.#servers.token : undefined),
      user: options.user ?? this.#servers.user,
      password: options.password ?? this.#servers.password,
    });
    return {
      servers: [...this.#servers.addresses],
      name: options.name,
      reconnect: true,
      maxReconnectAttempts: -1,
      // A password that is wrong now may be right in a minute: a rotation, or a server that starts without accounts.
      ignoreAuthErrorAbort: true,
      // The server may announce addresses that we cannot reach (docs/reliability.md, case B9): use the configured ones.
      ignoreClusterUpdates: true,
      timeout: connectTimeoutMs,
      pingInterval: pingIntervalMs,
      maxPingOut,
      noAsyncTraces: true,
      reconnectDelayHandler: () => {
        if (setBack()) this.#forgetAttempts();
        return reconnectWaitMs(this.#world.random);
      },
      ...(this.#servers.tls ? { tls: {} } : {}),
      ...(authenticator === undefined ? {} : { authenticator }),
    };
  }

  /**
   * Liveness: ends when connected or closed. The library can wait for the first connection too, but that wait can be
   * neither logged nor stopped.
   */
  async #connectFirst(): Promise<void> {
    while (this.#closing === undefined) {
      try {
        const connection = await this.#world.connect(this.#connectOptions);
        if (this.#closing === undefined) this.#adopt(connection);
        else await connection.close();
        return;
      } catch (error) {
        this.#often((suppressed) => {
          const reason = error instanceof Error ? error.message : String(error);
          this.#logger.warn(
            { reason, servers: this.#servers.addresses, suppressed },
            'nats is not reachable yet',
          );
        });
      }
      await this.#wait(reconnectWaitMs(this.#world.random));
    }
  }

  #adopt(connection: NatsConnection): void {
    this.#connection = connection;
    this.#publisher = new BoundedPublish(connection);
    this.#connected = true;
    guardMessages(connection, (error) => this.#drop(error));
    this.#logger.info(
      { server: connection.getServer(), version: connection.info?.version },
      'nats connected',
    );
    this.#settleReady.resolve(connection);
    this.#tell('connected');
    void this.#watch(connection);
  }

  async #watch(connection: NatsConnection): Promise<void> {
    for await (const status of connection.status()) this.#take(connection, status);
    this.#connected = false;
    if (this.#closing !== undefined) return;
    // This must not happen: all subscriptions of the process are gone with the connection.
    throw new Error('the NATS client closed the connection for good');
  }

  #take(connection: NatsConnection, status: Status): void {
    if (status.type === 'staleConnection') {
      this.#logger.warn('nats does not answer pings');
      this.#stale = setTimeout(() => forceDisconnect(connection), staleGraceMs);
    } else if (status.type === 'disconnect') {
      clearTimeout(this.#stale);
      // Each failed attempt reports a disconnect too.
      if (!this.#connected) return;
      this.#connected = false;
      this.#logger.warn({ server: status.server }, 'nats disconnected');
      this.#tell('disconnected');
    } else if (status.type === 'reconnect') {
      if (this.#connected) return;
      this.#connected = true;
      this.#publisher?.reconnected();
      this.#metrics?.reconnects.inc();
      this.#logger.info({ server: status.server }, 'nats reconnected');
      this.#tell('reconnected');
    } else if (status.type === 'error') {
      const { name, message } = status.error;
      this.#often((suppressed) =>
        this.#logger.warn({ name, reason: message, suppressed }, 'nats reported an error'),
      );
    }
  }

  #drop(error: unknown): void {
    this.#metrics?.dropped.inc();
    this.#often((suppressed) =>
      this.#logger.warn({ err: error, suppressed }, 'nats message could not be read and is dropped'),
    );
  }

  #tell(status: NatsStatus): void {
    for (const listener of this.#listeners) listener(status);
  }

  /** Resets the library's record of when it tried which server. It has no public way to do that. */
  #forgetAttempts(): void {
    this.#connection?.setServers(['127.0.0.1:1']);
    this.#connection?.setServers([...this.#servers.addresses]);
  }

  #wait(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#cancelWait = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  async #close(): Promise<void> {
    this.#cancelWait();
    this.#settleReady.reject(new NatsClosedError());
    const connection = this.#connection;
    if (connection === undefined || connection.isClosed()) return;
    if (this.#connected) await within(connection.drain(), drainMs);
    if (!connection.isClosed()) await within(connection.close(), closeMs);
    clearTimeout(this.#stale);
  }
}

/** Waits for a promise, its failure included, but not longer than `ms`. */
async function within(promise: Promise<unknown>, ms: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([promise.catch(() => undefined), timeout]);
  clearTimeout(timer);
}

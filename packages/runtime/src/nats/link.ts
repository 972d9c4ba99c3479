// The one NATS connection of a process. Never gives up, never crashes the process while it waits.
import type { NatsConnection } from '@nats-io/transport-node';
import type { Logger } from 'pino';
import type { Registry } from 'prom-client';

/** What a listener of the link is told. */
export type NatsStatus = 'connected' | 'disconnected' | 'reconnected';

/** How to reach and enter NATS. */
export interface NatsOptions {
  /** nats:// or tls:// URLs; user information in them is used and never printed. */
  readonly servers: readonly string[];
  /** Shown in the server's connection list. */
  readonly name: string;
  readonly credsFile?: string | undefined;
  readonly user?: string | undefined;
  readonly password?: string | undefined;
  readonly token?: string | undefined;
  readonly logger: Logger;
  readonly registry?: Registry;
}

/** The connection and its state. */
export interface NatsLink {
  /** Whether the server is there at this moment. */
  readonly connected: boolean;
  /** Resolves when connected first; rejects only where the link is closed before. */
  ready(): Promise<NatsConnection>;
  /** The connection, once there was one; it stays the same object over reconnects. */
  readonly connection: NatsConnection | undefined;
  onStatus(listener: (status: NatsStatus) => void): void;
  /** Drains and closes, within 3 s whatever the server does. */
  close(): Promise<void>;
}

/** Opens the link and returns at once; connecting goes on in the background. */
export function openNats(_options: NatsOptions): NatsLink {
  throw new Error('not there yet');
}

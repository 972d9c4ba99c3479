// The admin server: metrics and health on a port of its own. Never serves clients.
import type { Logger } from 'pino';
import type { Registry } from 'prom-client';

/** What `/readyz` answers. */
export interface Health {
  readonly ready: boolean;
  /** Why not ready; words, no ids. */
  readonly reasons: readonly string[];
  readonly info?: Readonly<Record<string, unknown>>;
}

/** The answer of a further GET route. */
export interface AdminAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
}

/** A running admin server. */
export interface AdminServer {
  readonly port: number;
  close(): Promise<void>;
}

/** Listens; rejects where it cannot. */
export function startAdmin(_options: {
  readonly host: string;
  readonly port: number;
  readonly registry: Registry;
  readonly health: () => Health;
  readonly live?: () => boolean;
  /** Further GET routes by exact path. */
  readonly routes?: Readonly<Record<string, () => AdminAnswer | Promise<AdminAnswer>>>;
  readonly logger: Logger;
}): Promise<AdminServer> {
  return Promise.reject(new Error('not there yet'));
}

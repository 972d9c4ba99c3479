// Owns the words in which a service is described to the supervisor. Holds no behaviour.

/** One process to run and keep running. */
export interface ServiceSpec {
  readonly name: string;
  /** Stays the same over restarts. */
  readonly id: string;
  readonly pool?: string;
  /** The program: a module for this same Node. */
  readonly script: string;
  readonly env: Readonly<Record<string, string>>;
  /** Its usual port, or the next of its row where another program has that; 0 or nothing = a free one. */
  readonly port?: number;
  /** It moves its clients away on SIGTERM, which takes half a minute. When the whole cluster stops it is killed. */
  readonly drains?: boolean;
}

/** Where a service said that it listens. */
export interface Listening {
  readonly url: string;
  readonly adminUrl: string;
}

/** A service as it is now. */
export interface ServiceStatus extends Listening {
  readonly spec: ServiceSpec;
  readonly pid: number;
}

/** Services that start together, once all of the phases before are ready; `urlOf` knows those. */
export type Phase = (urlOf: (id: string) => string) => readonly ServiceSpec[];

/** What is worth a line to the person who watches. */
export type ServiceEvent =
  | { readonly kind: 'up'; readonly service: ServiceStatus; readonly again: boolean }
  | { readonly kind: 'portTaken'; readonly spec: ServiceSpec; readonly usual: number; readonly port: number }
  | { readonly kind: 'stopped'; readonly spec: ServiceSpec; readonly retryMs: number }
  | { readonly kind: 'crashed'; readonly spec: ServiceSpec; readonly how: string; readonly retryMs: number }
  | { readonly kind: 'unready'; readonly spec: ServiceSpec; readonly reasons: readonly string[] }
  | { readonly kind: 'readyAgain'; readonly spec: ServiceSpec }
  | { readonly kind: 'output'; readonly spec: ServiceSpec; readonly line: string };

/** Reads what a child sends over IPC; undefined for anything else than where it listens. */
export function parseListening(message: unknown): Listening | undefined {
  if (typeof message !== 'object' || message === null) return undefined;
  if (!('type' in message) || message.type !== 'listening') return undefined;
  if (!('url' in message) || typeof message.url !== 'string') return undefined;
  if (!('adminUrl' in message) || typeof message.adminUrl !== 'string') return undefined;
  return { url: message.url, adminUrl: message.adminUrl };
}

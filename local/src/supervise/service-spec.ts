// The types that describe a service to the supervisor. No behaviour.

/** One process to run and keep running. */
export interface ServiceSpec {
  readonly name: string;
  /** Stays the same over restarts. */
  readonly id: string;
  readonly pool?: string;
  /** The program: a module for this same Node. */
  readonly script: string;
  readonly env: Readonly<Record<string, string>>;
  /** Its usual port, or the next of its row if another program has that; 0 or undefined = a free one. */
  readonly port?: number;
  /** The setting that gets the port; by default `WEIR_PORT`. */
  readonly portSetting?: string;
  /** On SIGTERM it moves its clients, which takes half a minute. When the whole cluster stops, it is killed. */
  readonly drains?: boolean;
}

/** Addresses that a service reports. */
export interface Listening {
  readonly url: string;
  readonly adminUrl: string;
}

/** The current state of a service. */
export interface ServiceStatus extends Listening {
  readonly spec: ServiceSpec;
  readonly pid: number;
}

/** Services that start together, when all earlier phases are ready; `urlOf` knows the earlier ones. */
export type Phase = (urlOf: (id: string) => string) => readonly ServiceSpec[];

/** Events that are worth a line to the person at the terminal. */
export type ServiceEvent =
  | { readonly kind: 'up'; readonly service: ServiceStatus; readonly again: boolean }
  | { readonly kind: 'portTaken'; readonly spec: ServiceSpec; readonly usual: number; readonly port: number }
  | { readonly kind: 'stopped'; readonly spec: ServiceSpec; readonly retryMs: number }
  | { readonly kind: 'crashed'; readonly spec: ServiceSpec; readonly how: string; readonly retryMs: number }
  | { readonly kind: 'unready'; readonly spec: ServiceSpec; readonly reasons: readonly string[] }
  | { readonly kind: 'readyAgain'; readonly spec: ServiceSpec }
  | { readonly kind: 'output'; readonly spec: ServiceSpec; readonly line: string };

/** Reads a child's IPC message; undefined unless it reports addresses. */
export function parseListening(message: unknown): Listening | undefined {
  if (typeof message !== 'object' || message === null) return undefined;
  if (!('type' in message) || message.type !== 'listening') return undefined;
  if (!('url' in message) || typeof message.url !== 'string') return undefined;
  if (!('adminUrl' in message) || typeof message.adminUrl !== 'string') return undefined;
  return { url: message.url, adminUrl: message.adminUrl };
}

// Opens the port of a server: says by the name of the setting why it cannot, and outlives a failure to accept.
import type { AddressInfo, Server } from 'node:net';

/** Where a server listens, and the settings that say so. */
export interface ListenOptions {
  readonly host: string;
  readonly port: number;
  /** What listens, for the sentence that says that it cannot. */
  readonly what: string;
  readonly settings: { readonly host: string; readonly port: string };
  readonly backlog?: number;
  /** A connection could not be accepted, as where the process has no file descriptor left. */
  readonly onFault: (error: Error) => void;
}

/** The settings of the port that a service is there for. */
export const CLIENT_SETTINGS = { host: 'WEIR_HOST', port: 'WEIR_PORT' } as const;
export const ADMIN_SETTINGS = { host: 'WEIR_ADMIN_HOST', port: 'WEIR_ADMIN_PORT' } as const;

/** Resolves when the server listens; rejects with a sentence where it cannot. */
export function listenOn(server: Server, o: ListenOptions): Promise<AddressInfo> {
  const { host, port, backlog, settings, what } = o;
  return new Promise((resolve, reject) => {
    const failed = (cause: NodeJS.ErrnoException): void => {
      const why = advice(cause.code, settings);
      reject(new Error(`${what} cannot listen on ${host} port ${port}: ${why}`, { cause }));
    };
    server.once('error', failed);
    server.listen({ host, port, ...(backlog === undefined ? {} : { backlog }) }, () => {
      server.off('error', failed);
      server.on('error', o.onFault);
      const address = server.address();
      if (typeof address === 'object' && address !== null) resolve(address);
      else reject(new Error('the server listens on no port'));
    });
  });
}

function advice(code: string | undefined, { host, port }: ListenOptions['settings']): string {
  switch (code) {
    case 'EADDRINUSE':
      return `set ${port} to a free port, this one is in use`;
    case 'EACCES':
      return `set ${port} to 1024 or more, this process may not open lower ports`;
    case 'EADDRNOTAVAIL':
    case 'EAFNOSUPPORT':
    case 'EAI_AGAIN':
    case 'EINVAL':
    case 'ENOTFOUND':
      return `set ${host} to an address of this machine (${code})`;
    default:
      return `set ${host} and ${port} (${code ?? 'unknown error'})`;
  }
}

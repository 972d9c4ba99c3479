// Opens and closes the port of a server. An error names the setting to change, and a connection that cannot be accepted
// does not end the process.
import type { Server as HttpServer } from 'node:http';
import type { AddressInfo, Server } from 'node:net';

/** Where a server listens, and the settings that say where. */
export interface ListenOptions {
  readonly host: string;
  readonly port: number;
  /** The name of the server in an error: `the router`. */
  readonly what: string;
  readonly settings: { readonly host: string; readonly port: string };
  readonly backlog?: number;
  /** A connection could not be accepted, for example because the process has no file descriptor left. */
  readonly onFault: (error: Error) => void;
}

/** The settings of a service's main port. */
export const CLIENT_SETTINGS = { host: 'WEIR_HOST', port: 'WEIR_PORT' } as const;
export const ADMIN_SETTINGS = { host: 'WEIR_ADMIN_HOST', port: 'WEIR_ADMIN_PORT' } as const;

/** Resolves when the server listens; rejects with a sentence when it cannot. */
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

/** Stops listening and lets requests finish; cuts the connections that are open after `graceMs`. Never rejects. */
export function closeServer(
  server: Pick<HttpServer, 'close' | 'closeIdleConnections' | 'closeAllConnections'>,
  graceMs: number,
): Promise<void> {
  return new Promise((resolve) => {
    const cut = setTimeout(() => server.closeAllConnections(), graceMs);
    server.close(() => {
      clearTimeout(cut);
      resolve();
    });
    server.closeIdleConnections();
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

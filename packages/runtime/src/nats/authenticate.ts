// How the connection proves who it is. Credentials are read anew for each attempt, so that they can be rotated.
import { readFileSync } from 'node:fs';
import type { Authenticator } from '@nats-io/transport-node';
import {
  credsAuthenticator,
  tokenAuthenticator,
  usernamePasswordAuthenticator,
} from '@nats-io/transport-node';

/** What may be known; the first that is set counts, in this order. */
export interface Credentials {
  readonly credsFile?: string | undefined;
  readonly token?: string | undefined;
  readonly user?: string | undefined;
  readonly password?: string | undefined;
}

/** The authenticator for these credentials, or none. */
export function authenticate(credentials: Credentials): Authenticator | undefined {
  const { credsFile, token, user, password } = credentials;
  if (credsFile !== undefined) return credsAuthenticator(readAnew(credsFile));
  if (token !== undefined) return tokenAuthenticator(token);
  if (user !== undefined) return usernamePasswordAuthenticator(user, password ?? '');
  return undefined;
}

/**
 * Reads the file at each call. While it cannot be read (a secret is being replaced) the last content counts,
 * because an authenticator that throws closes a connection of this library for good.
 */
function readAnew(path: string): () => Uint8Array {
  let last: Uint8Array | undefined;
  return () => {
    try {
      last = readFileSync(path);
    } catch (error) {
      if (last === undefined) throw error;
    }
    return last;
  };
}

// User tokens for a router with WEIR_AUTH=jwt, and a server that pages fetch them from.
import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import type { Server } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export const SECRET = 'a secret of the tests, of 32 bytes or more';

/** What a router needs to take these tokens. */
export const TAKES_TOKENS = { WEIR_AUTH: 'jwt', WEIR_JWT_SECRET: SECRET } as const;

/** `claim` is the name that the list of channels has in the token. */
export function tokenFor(seconds: number, channels: readonly string[], claim = 'channels'): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const claims = { sub: 'me', [claim]: channels, exp: Math.floor(Date.now() / 1_000) + seconds };
  const signed = `${part({ alg: 'HS256' })}.${part(claims)}`;
  return `${signed}.${createHmac('sha256', SECRET).update(signed).digest('base64url')}`;
}

/** Answers every request with a token that lasts for `seconds`, for pages of any origin. */
export class TokenServer {
  seconds = 3_600;
  asked = 0;
  readonly #server: Server;

  private constructor(channels: readonly string[]) {
    this.#server = createServer((_request, response) => {
      this.asked++;
      response.setHeader('access-control-allow-origin', '*');
      response.end(tokenFor(this.seconds, channels));
    });
  }

  static async start(channels: readonly string[]): Promise<TokenServer> {
    const server = new TokenServer(channels);
    server.#server.listen(0, '127.0.0.1');
    await once(server.#server, 'listening');
    return server;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/`;
  }

  stop(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}

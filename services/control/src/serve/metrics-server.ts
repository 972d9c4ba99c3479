// The HTTPS server of the metrics API. Any client may connect; only requests through the API server get an answer.
// Certificate and authorities can change while it runs; before both are set no handshake succeeds.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { TLSSocket } from 'node:tls';
import { CLIENT_SETTINGS, closeServer, listenOn, Places, roomForSockets } from '@weir/runtime';
import type { ApiAnswer, ApiRequest } from './answer.ts';
import { failure } from './answer.ts';
import type { FrontProxy } from './front-proxy.ts';
import { refuse } from './front-proxy.ts';

/** The server's certificate, and the authorities that it trusts. */
export interface Trust {
  /** PEM, with the chain. */
  readonly certificate: string;
  readonly key: string;
  readonly frontProxy: FrontProxy;
}

export interface MetricsServerOptions {
  readonly answer: (request: ApiRequest) => ApiAnswer;
  readonly onAnswer: (answer: ApiAnswer) => void;
  readonly onFault: (error: unknown) => void;
}

export interface MetricsServer {
  listen(port: number, host: string): Promise<AddressInfo>;
  /** Throws if certificate and key do not match; then the previous trust stays. */
  trust(trust: Trust): void;
  readonly trusted: boolean;
  close(): Promise<void>;
}

/** API servers open a few connections each; the rest is for clients that will be refused. */
const maxConnections = 256;
const closeGraceMs = 500;

export function createMetricsServer(o: MetricsServerOptions): MetricsServer {
  let current: Trust | undefined;
  /** The trust at the opening of a connection: the client's certificate was checked against it. */
  const checkedWith = new WeakMap<object, Trust>();
  const server = createServer({
    requestCert: true,
    // `respond` checks each request, so that a refused client gets a sentence instead of a broken handshake.
    rejectUnauthorized: false,
    minVersion: 'TLSv1.2',
    handshakeTimeout: 5_000,
    maxHeaderSize: 16_384,
    headersTimeout: 10_000,
    requestTimeout: 15_000,
    keepAliveTimeout: 60_000,
    connectionsCheckingInterval: 2_000,
  });
  server.setTimeout(120_000);
  server.on('secureConnection', (socket) => {
    if (current !== undefined) checkedWith.set(socket, current);
  });
  server.on('request', (request, response) => {
    const answer = respond(o, request, checkedWith.get(request.socket) === current ? current : undefined);
    o.onAnswer(answer);
    send(response, answer);
  });
  new Places(server, {
    max: Math.min(maxConnections, roomForSockets()),
    onCut: () => o.onFault(new Error('too many connections')),
  });
  return {
    get trusted() {
      return current !== undefined;
    },
    listen: (port, host) =>
      listenOn(server, {
        host,
        port,
        what: 'the metrics API',
        settings: CLIENT_SETTINGS,
        onFault: o.onFault,
      }),
    trust(trust) {
      server.setSecureContext({
        cert: trust.certificate,
        key: trust.key,
        ca: trust.frontProxy.authorities,
        minVersion: 'TLSv1.2',
      });
      current = trust;
      server.closeIdleConnections();
    },
    close: () => closeServer(server, closeGraceMs),
  };
}

function respond(o: MetricsServerOptions, request: IncomingMessage, trust: Trust | undefined): ApiAnswer {
  const { socket, headers, method = '', url = '' } = request;
  const secure = socket instanceof TLSSocket ? socket : undefined;
  const refusal = refuse(trust?.frontProxy, {
    authorised: secure?.authorized === true,
    commonName: commonNameOf(secure),
    headers,
  });
  if (refusal !== undefined) return failure(refusal.status, refusal.why, 'refused');
  try {
    const ifNoneMatch = headers['if-none-match'];
    return o.answer({ method, url, accept: headers.accept, ifNoneMatch });
  } catch (error) {
    o.onFault(error);
    return failure(500, 'internal error', 'malformed');
  }
}

function commonNameOf(socket: TLSSocket | undefined): string | undefined {
  const name: unknown = socket?.getPeerCertificate().subject?.CN;
  return typeof name === 'string' ? name : undefined;
}

function send(response: ServerResponse, { status, contentType, headers, body }: ApiAnswer): void {
  response.writeHead(status, {
    ...headers,
    'content-type': contentType,
    ...(status === 304 ? {} : { 'content-length': Buffer.byteLength(body) }),
    // A refused client's connection is closed.
    ...(status === 401 || status === 403 ? { connection: 'close' } : {}),
  });
  response.end(body);
}

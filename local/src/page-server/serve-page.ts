// Owns the page's HTTP server: static files, the SDK's browser bundle, where the cluster is, and what is alive behind it.
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Live } from './live.ts';
import { speak } from './speak.ts';
import { contentTypeOf, readStaticFile } from './static-files.ts';

/** What the page must know, as `/config.json`. */
export interface PageConfig {
  /** The complete URL to connect to, without the channels. */
  readonly router: string;
  readonly channels: readonly string[];
  /** Where one may publish and listen, for the lines to copy. */
  readonly publisher?: string;
  /** The page of control. */
  readonly console?: string;
  readonly nats?: string;
  /** What the live part of the page needs; undefined where there is none. */
  readonly stage?: unknown;
}

export interface PageOptions {
  /** 0 = a free one. */
  readonly port: number;
  readonly folder: string;
  /** The file served as `/weir.js`. */
  readonly sdk: string;
  /** Asked for with each request; a promise that is pending holds the answer until the cluster is ready. */
  readonly config: () => Promise<PageConfig>;
  /** What `/events` and `/do` lead to; undefined where nothing is alive. */
  readonly live?: () => Live | undefined;
}

export interface PageServer {
  readonly url: string;
  readonly port: number;
  close(): Promise<void>;
}

/** The port asked for is somebody else's. */
export class PortTakenError extends Error {
  readonly code = 'PORT_TAKEN';
  constructor(port: number) {
    super(`port ${port} is taken by another program; choose another one with --port, or 0 for a free one`);
    this.name = 'PortTakenError';
  }
}

/**
 * The names of this machine by which the page is opened. With another one a page of somebody else's has made a name of
 * its own point here, and would read what is meant for this machine alone.
 */
const HOSTS: readonly string[] = ['127.0.0.1', 'localhost', '[::1]'];

const TOKEN_BYTES = 18;

const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  'img-src data:',
  // The router and the shards listen on ports of their own.
  "connect-src 'self' ws://127.0.0.1:* ws://localhost:*",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** Serves the page on 127.0.0.1. */
export function servePage(options: PageOptions): Promise<PageServer> {
  // Pages of other origins cannot read it, so they can ask for nothing.
  const token = randomBytes(TOKEN_BYTES).toString('base64url');
  const server = createServer((request, response) => {
    answer(request, response, { ...options, token }).catch(() => {
      if (!response.headersSent) send(response, { status: 500, text: 'something went wrong here\n' });
      else response.destroy();
    });
  });
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      reject(error.code === 'EADDRINUSE' ? new PortTakenError(options.port) : error);
    });
    server.listen(options.port, '127.0.0.1', () => {
      const address = server.address();
      const port = typeof address === 'object' && address !== null ? address.port : options.port;
      resolve({ url: `http://127.0.0.1:${port}`, port, close: () => close(server) });
    });
  });
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  options: PageOptions & { readonly token: string },
): Promise<void> {
  if (!isOfThisMachine(request.headers.host)) {
    send(response, { status: 403, text: `open this page as http://${HOSTS[0]}, not by another name\n` });
    return;
  }
  // Not `new URL`: it would tidy `/../x` into `/x` and so hide what was asked for.
  const path = (request.url ?? '/').split(/[?#]/, 1)[0] ?? '/';
  const live = options.live?.();
  if (live !== undefined && (await speak({ path, request, response, live, token: options.token }))) return;
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.setHeader('Allow', 'GET, HEAD');
    send(response, { status: 405, text: 'only GET and HEAD\n' });
    return;
  }
  if (path === '/config.json') {
    const bytes = Buffer.from(JSON.stringify({ ...(await options.config()), token: options.token }));
    send(response, { status: 200, bytes, contentType: 'application/json' });
    return;
  }
  if (path === '/weir.js') {
    const bytes = await readFile(options.sdk).catch(() => undefined);
    if (bytes === undefined) send(response, { status: 404, text: 'the SDK is not built: npm run build\n' });
    else {
      // A page of the user's own, from another port or from a file, may import the SDK; there is nothing secret in it.
      response.setHeader('Access-Control-Allow-Origin', '*');
      response.setHeader('Cross-Origin-Resource-Policy', 'cross-origin');
      send(response, { status: 200, bytes, contentType: contentTypeOf('weir.js') });
    }
    return;
  }
  const file = await readStaticFile(options.folder, path);
  if (file === undefined) send(response, { status: 404, text: 'not found\n' });
  else send(response, { status: 200, ...file });
}

function isOfThisMachine(host = ''): boolean {
  const [, name = ''] = /^(.*?)(?::\d{1,5})?$/.exec(host) ?? [];
  return HOSTS.includes(name.toLowerCase());
}

type Answer =
  | { readonly status: number; readonly text: string }
  | { readonly status: number; readonly bytes: Buffer; readonly contentType: string };

function send(response: ServerResponse, answer: Answer): void {
  const bytes = 'text' in answer ? Buffer.from(answer.text) : answer.bytes;
  const contentType = 'text' in answer ? 'text/plain; charset=utf-8' : answer.contentType;
  response.writeHead(answer.status, {
    'Content-Type': contentType,
    'Content-Length': bytes.length,
    'Cache-Control': 'no-store',
    'X-Content-Type-Options': 'nosniff',
    'Content-Security-Policy': POLICY,
    'Cross-Origin-Resource-Policy': String(
      response.getHeader('Cross-Origin-Resource-Policy') ?? 'same-origin',
    ),
    'Referrer-Policy': 'no-referrer',
  });
  response.end(response.req.method === 'HEAD' ? undefined : bytes);
}

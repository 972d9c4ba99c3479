// The admin server: metrics and health on a separate port. It serves no clients. It answers GET and HEAD, and DELETE on
// the paths that the service names. It reads no body. Metrics and health have the same answer by every name; the routes of
// the service, which may have data, only by names that no page of another site can have.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Logger } from 'pino';
import type { Registry } from 'prom-client';
import { isKnownHost } from './http/known-host.ts';
import { ADMIN_SETTINGS, closeServer, listenOn } from './http/listen.ts';
import { Places } from './http/places.ts';
import { logThrottle } from './logging/log-throttle.ts';

/** The content of `/readyz`. */
export interface Health {
  readonly ready: boolean;
  /** Why the service is not ready; words, no ids. */
  readonly reasons: readonly string[];
  readonly info?: Readonly<Record<string, unknown>>;
}

/** The answer of a route. */
export interface AdminAnswer {
  readonly status: number;
  readonly contentType: string;
  /** The whole body, or pieces. A piece is made when the reader has taken the one before. */
  readonly body: string | Iterable<Uint8Array>;
}

/** A running admin server. */
export interface AdminServer {
  /** The port of the server, also if the setting is 0. */
  readonly port: number;
  /** Stops listening and closes open connections within a second. */
  close(): Promise<void>;
}

interface Routes {
  readonly get: ReadonlyMap<string, Route>;
  readonly remove: ReadonlyMap<string, Route>;
  /** Paths that the service has added. */
  readonly ofService: ReadonlySet<string>;
}

type Route = () => AdminAnswer | Promise<AdminAnswer>;

export interface AdminOptions {
  readonly host: string;
  readonly port: number;
  readonly registry: Registry;
  readonly health: () => Health;
  /** Further GET routes by exact path. */
  readonly routes?: Readonly<Record<string, Route>>;
  /** DELETE routes by exact path. */
  readonly removals?: Readonly<Record<string, Route>>;
  readonly logger: Logger;
}

/** Figures and health: a scraper may ask by any name. */
const OPEN_TO_ALL = ['/metrics', '/livez', '/readyz'] as const;
/** Enough for a kubelet, a few scrapers and a person. Beyond it the oldest connection without a request is closed. */
export const maxAdminConnections = 64;
const logMs = 5_000;
const closeGraceMs = 500;

/** Starts to listen; rejects if it cannot. */
export async function startAdmin(options: AdminOptions): Promise<AdminServer> {
  const removals = Object.entries(options.removals ?? {});
  const ofService = new Set([...Object.keys(options.routes ?? {}), ...removals.map(([path]) => path)]);
  for (const path of OPEN_TO_ALL) ofService.delete(path);
  const routes = { get: routesOf(options), remove: new Map(removals), ofService };
  const server = createServer(
    {
      maxHeaderSize: 4096,
      headersTimeout: 2_000,
      requestTimeout: 5_000,
      keepAliveTimeout: 5_000,
      connectionsCheckingInterval: 500,
    },
    (request, response) => void answer(routes, options.logger, request, response),
  );
  const often = logThrottle(logMs);
  new Places(server, {
    max: maxAdminConnections,
    onCut: () => often((suppressed) => options.logger.warn({ suppressed }, 'admin server is full')),
  });
  // A client that stops reading its answer must not hold the connection forever.
  server.setTimeout(30_000);
  const { host, port: asked, logger } = options;
  const { port } = await listenOn(server, {
    host,
    port: asked,
    what: 'the admin server',
    settings: ADMIN_SETTINGS,
    onFault: (err) => often((suppressed) => logger.error({ err, suppressed }, 'admin server failed')),
  });
  return { port, close: () => closeServer(server, closeGraceMs) };
}

function json(status: number, value: unknown): AdminAnswer {
  return { status, contentType: 'application/json; charset=utf-8', body: `${JSON.stringify(value)}\n` };
}

function text(status: number, line: string): AdminAnswer {
  return { status, contentType: 'text/plain; charset=utf-8', body: `${line}\n` };
}

function routesOf(options: AdminOptions): ReadonlyMap<string, Route> {
  const { registry, health } = options;
  // Scrapes at the same moment share one collection: a scraper cannot multiply the work.
  let collecting: Promise<string> | undefined;
  const metrics = async (): Promise<AdminAnswer> => {
    collecting ??= registry.metrics().finally(() => {
      collecting = undefined;
    });
    return { status: 200, contentType: registry.contentType, body: await collecting };
  };
  return new Map<string, Route>([
    ...Object.entries(options.routes ?? {}),
    ['/metrics', metrics],
    ['/livez', () => text(200, 'alive')],
    ['/readyz', () => readiness(health())],
  ]);
}

function readiness({ ready, reasons, info }: Health): AdminAnswer {
  return json(ready ? 200 : 503, { ready, reasons, ...(info === undefined ? {} : { info }) });
}

async function answer(
  routes: Routes,
  logger: Logger,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { status, contentType, body } = await find(routes, logger, request);
  response.writeHead(status, {
    'content-type': contentType,
    ...(typeof body === 'string' ? { 'content-length': Buffer.byteLength(body) } : {}),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    ...(status === 405 ? { allow: allowedAt(routes, pathOf(request)) } : {}),
  });
  if (typeof body === 'string') response.end(body);
  else if (request.method === 'HEAD') response.end();
  else await sendPieces(body, logger, response);
}

/** A client that stops reading for too long, or disconnects, ends the answer. Such an answer has no last chunk. */
async function sendPieces(
  pieces: Iterable<Uint8Array>,
  logger: Logger,
  response: ServerResponse,
): Promise<void> {
  try {
    await pipeline(Readable.from(pieces, { highWaterMark: 1 }), response);
  } catch (err) {
    logger.warn({ err }, 'admin answer was cut off');
  }
}

async function find(routes: Routes, logger: Logger, request: IncomingMessage): Promise<AdminAnswer> {
  const path = pathOf(request);
  const isGet = request.method === 'GET' || request.method === 'HEAD';
  if (!isGet && (request.method !== 'DELETE' || !routes.remove.has(path)))
    return text(405, `only ${allowedAt(routes, path)}`);
  const route = (isGet ? routes.get : routes.remove).get(path);
  if (route === undefined)
    return text(404, `not found; there are ${[...routes.get.keys()].toSorted().join(', ')}`);
  if (routes.ofService.has(path) && !isKnownHost(request.headers.host))
    return text(403, `${path} is not for every name: ask by an IP address or localhost`);
  try {
    return await route();
  } catch (err) {
    logger.error({ err, path }, 'admin route failed');
    return text(500, 'internal error');
  }
}

function pathOf(request: IncomingMessage): string {
  const [path = ''] = (request.url ?? '').split('?');
  return path;
}

function allowedAt({ remove }: Routes, path: string): string {
  return remove.has(path) ? 'GET, HEAD, DELETE' : 'GET, HEAD';
}

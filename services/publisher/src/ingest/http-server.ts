// The HTTP server around the handler: time-outs, broken requests, and a close that waits for requests.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Logger } from '@weir/runtime';
import { CLIENT_SETTINGS, closeServer, listenOn, logThrottle, Places, refuseSocket } from '@weir/runtime';
import type { Answer } from './answer.ts';
import { answerRefusal } from './answer.ts';
import type { Handler } from './handle.ts';
import { InTurn } from './in-turn.ts';
import type { RefusalCode } from './refusals.ts';

export interface HttpOptions {
  readonly host: string;
  readonly port: number;
  readonly maxConnections: number;
  /** From the first byte of a request to its last. */
  readonly requestTimeoutMs: number;
  readonly handler: Handler;
  readonly logger: Logger;
}

/** The server while it listens. */
export interface HttpServer {
  readonly port: number;
  readonly connections: number;
  /** Lets the requests that are under way finish, then closes; never rejects. */
  close(): Promise<void>;
}

const keepAliveMs = 65_000;
const logMs = 5_000;
/** Bounds for the rest of a request that is already answered. */
const restBytes = 4_194_304;
const restMs = 2_000;
const lookMs = 100;
/** How often Node looks for requests that take too long. */
const checkMs = 500;

/** Starts to listen; rejects if it cannot. */
export async function listen(options: HttpOptions): Promise<HttpServer> {
  const { handler, logger, requestTimeoutMs } = options;
  let closing = false;
  const server = createServer({
    requestTimeout: requestTimeoutMs,
    headersTimeout: requestTimeoutMs,
    keepAliveTimeout: keepAliveMs,
    connectionsCheckingInterval: Math.min(checkMs, requestTimeoutMs),
    requireHostHeader: false, // refused below: Node's own refusal has no JSON
  });
  const inTurn = new InTurn();
  const serve = (request: IncomingMessage, response: ServerResponse, goAhead: () => void): void => {
    inTurn.begun(request, response);
    boundReading(response, requestTimeoutMs);
    if (request.headers.host === undefined && request.httpVersion === '1.1') {
      write(response, answerRefusal({ code: 'BAD_REQUEST' }), true);
      return;
    }
    handler.handle(request, goAhead).then(
      (answer) => {
        write(response, answer, closing);
        boundRest(request);
      },
      (err) => {
        logger.error({ err }, 'request failed');
        write(response, answerRefusal({ code: 'INTERNAL' }), true);
      },
    );
  };
  server.on('request', (request, response) => serve(request, response, () => undefined));
  server.on('checkContinue', (request, response) => serve(request, response, () => response.writeContinue()));
  // Other expectations may be ignored; Node alone would answer them in another form.
  server.on('checkExpectation', (request, response) => serve(request, response, () => undefined));
  server.on('clientError', (error, socket) => refuseBroken(error, socket, inTurn));
  const often = logThrottle(logMs);
  const places = new Places(server, {
    max: options.maxConnections,
    onCut: () => often((suppressed) => logger.warn({ suppressed }, 'connections are refused')),
  });
  const { port } = await listenOn(server, {
    host: options.host,
    port: options.port,
    what: 'the publisher',
    settings: CLIENT_SETTINGS,
    onFault: (err) => often((suppressed) => logger.error({ err, suppressed }, 'http server failed')),
  });
  return {
    port,
    get connections() {
      return places.open;
    },
    close: () => {
      closing = true;
      handler.stop();
      // Node stops looking for slow requests once a server closes.
      return closeServer(server, requestTimeoutMs);
    },
  };
}

function write(response: ServerResponse, answer: Answer, last: boolean): void {
  if (response.destroyed || response.headersSent) return;
  response.writeHead(answer.status, {
    ...answer.headers,
    'content-length': Buffer.byteLength(answer.body),
    ...(last ? { connection: 'close' } : {}),
  });
  response.end(answer.body);
}

/** A client that does not read its answer for as long as a request may take must not keep its connection. */
function boundReading(response: ServerResponse, ms: number): void {
  let isWaiting = false;
  const look = setInterval(() => {
    if (isWaiting) response.socket?.destroy();
    // Without a socket it is behind answers that are not read yet.
    isWaiting = response.writableEnded && response.socket !== null;
  }, ms);
  response.once('close', () => clearInterval(look));
}

/** The rest of a refused body is read, within bounds, so that its sender gets the answer. */
function boundRest(request: IncomingMessage): void {
  if (request.complete) return;
  const { socket } = request;
  const before = socket.bytesRead;
  let looks = 0;
  // No listener on the socket, which outlives its requests.
  const look = setInterval(() => {
    if (request.complete || socket.destroyed) clearInterval(look);
    else if (socket.bytesRead - before > restBytes || ++looks * lookMs >= restMs) socket.destroy();
  }, lookMs);
}

/** A request that Node could not parse, or that took too long, gets an answer in the usual form. */
function refuseBroken(error: NodeJS.ErrnoException, socket: Duplex, inTurn: InTurn): void {
  if (!socket.writable || error.code === 'ECONNRESET') {
    socket.destroy();
    return;
  }
  inTurn.broken(socket, () => refuseSocket(socket, answerRefusal({ code: codeOf(error.code) })));
}

function codeOf(error: string | undefined): RefusalCode {
  if (error === 'ERR_HTTP_REQUEST_TIMEOUT') return 'BODY_TOO_SLOW';
  return error === 'HPE_HEADER_OVERFLOW' ? 'HEADERS_TOO_LARGE' : 'BAD_REQUEST';
}

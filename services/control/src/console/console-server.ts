// The console's HTTP server: the page, what it is told at each step, and requests to act. A browser that reads too slowly
// misses steps; one that reads nothing is closed. What browsers have not read is bounded, for each and for all together.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import { closeServer, hostNamed, isKnownHost, listenOn, urlHost } from '@weir/runtime';
import type { ActAnswer } from './act.ts';
import type { PageFile } from './page-files.ts';

export interface ConsoleServerOptions {
  readonly host: string;
  readonly port: number;
  /** Names that it answers by, in addition to those of this machine. */
  readonly allowedHosts: readonly string[];
  readonly maxBrowsers: number;
  readonly files: ReadonlyMap<string, PageFile>;
  /** The newest view as JSON. */
  readonly view: () => string;
  /** The last hour as JSON, with the history of these shards. */
  readonly history: (shards: readonly string[]) => string;
  readonly act: (token: string | undefined, body: unknown) => Promise<ActAnswer>;
  /** A connection on which nothing has moved for this time is closed; longer than the time between two steps. */
  readonly silentMs: number;
  readonly onSkipped: () => void;
  readonly onFault: (error: unknown) => void;
}

const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');
const maxBodyBytes = 1_024;
const maxShards = 12;
/** A browser with more unread than this is told nothing until it has read. */
const maxUnreadBytes = 262_144;
/** Of all answers together that browsers have not read yet: an hour of many pools and shards has megabytes. */
const maxUnreadAnswerBytes = 33_554_432;
const closeGraceMs = 500;
/** A browser loads a page over six connections; one that is refused shows that on the page. */
const connectionsOfOne = 8;
const refusedBrowsers = 4;

export class ConsoleServer {
  readonly #o: ConsoleServerOptions;
  readonly #browsers = new Set<ServerResponse>();
  #unreadAnswerBytes = 0;
  readonly #server = createServer(
    { maxHeaderSize: 8_192, headersTimeout: 5_000, requestTimeout: 10_000, keepAliveTimeout: 10_000 },
    (request, response) => {
      this.#answer(request, response).catch((error: unknown) => {
        // The browser went away in the middle of its request: no fault, and no answer is awaited.
        if (request.destroyed && !request.complete) return;
        this.#o.onFault(error);
        if (response.headersSent) response.destroy();
        else this.#text(response, 500, 'internal error');
      });
    },
  );

  constructor(options: ConsoleServerOptions) {
    this.#o = options;
    this.#server.maxConnections = (options.maxBrowsers + refusedBrowsers) * connectionsOfOne;
    // Node closes such a socket itself, also one whose other end reads nothing.
    this.#server.timeout = options.silentMs;
  }

  get browsers(): number {
    return this.#browsers.size;
  }

  /** Answers the URL of the page. */
  async listen(): Promise<string> {
    const { host, port, onFault } = this.#o;
    const settings = { host: 'WEIR_CONSOLE_HOST', port: 'WEIR_CONSOLE_PORT' };
    const address = await listenOn(this.#server, { host, port, what: 'the console', settings, onFault });
    return `http://${urlHost(host)}:${address.port}`;
  }

  /** Tells every browser that keeps up. */
  tell(view: string): void {
    // The same bytes for all: a browser that lags behind keeps no copy of its own.
    const bytes = Buffer.from(eventOf(view));
    for (const browser of this.#browsers) {
      if (browser.writableLength > maxUnreadBytes) this.#o.onSkipped();
      else browser.write(bytes);
    }
  }

  async close(): Promise<void> {
    for (const browser of this.#browsers) browser.end();
    await closeServer(this.#server, closeGraceMs);
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    // A page of another site can make its own name point here, to read through the browser of a person who may.
    const { host, allowedHosts } = this.#o;
    if (!isKnownHost(request.headers.host, [host, ...allowedHosts]))
      return this.#text(response, 403, unknownHost(request.headers.host));
    const url = new URL(`http://console${request.url ?? '/'}`);
    if (url.pathname === '/api/act') return this.#act(request, response);
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      response.setHeader('allow', 'GET, HEAD');
      return this.#text(response, 405, 'only GET and HEAD');
    }
    if (url.pathname === '/api/stream') return this.#stream(request, response);
    if (url.pathname === '/api/view') return this.#send(response, 200, 'application/json', this.#o.view());
    if (url.pathname === '/api/history') {
      const shards = (url.searchParams.get('shards') ?? '').split(',').slice(0, maxShards);
      return this.#send(response, 200, 'application/json', this.#o.history(shards));
    }
    const file = this.#o.files.get(url.pathname);
    if (file === undefined) return this.#text(response, 404, 'not found');
    this.#send(response, 200, file.contentType, file.bytes);
  }

  #stream(request: IncomingMessage, response: ServerResponse): void {
    if (request.method === 'HEAD') return this.#text(response, 200, '');
    if (this.#browsers.size >= this.#o.maxBrowsers)
      return this.#text(response, 503, 'too many browsers look already');
    this.#head(response, 200, 'text/event-stream; charset=utf-8');
    response.write('retry: 2000\n\n');
    response.write(eventOf(this.#o.view()));
    this.#browsers.add(response);
    response.on('close', () => this.#browsers.delete(response));
  }

  async #act(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method, headers } = request;
    if (method !== 'POST') {
      response.setHeader('allow', 'POST');
      return this.#text(response, 405, 'only POST');
    }
    const { origin, host = '' } = headers;
    const foreign = origin !== undefined && origin !== `http://${host}` && origin !== `https://${host}`;
    if (foreign || !isJson(headers['content-type']))
      return this.#text(response, 403, 'only the page of this console may act');
    const body = await readBody(request);
    if (body === undefined) return this.#text(response, 413, 'the request is too large');
    const token = /^Bearer (\S{1,512})$/.exec(headers.authorization ?? '')?.[1];
    const { status, ...answer } = await this.#o.act(token, parsed(body));
    this.#send(response, status, 'application/json', JSON.stringify(answer));
  }

  #text(response: ServerResponse, status: number, line: string): void {
    this.#send(response, status, 'text/plain; charset=utf-8', `${line}\n`);
  }

  #send(response: ServerResponse, status: number, contentType: string, body: string | Buffer): void {
    const bytes = Buffer.byteLength(body);
    if (this.#unreadAnswerBytes + bytes > maxUnreadAnswerBytes) {
      response.setHeader('retry-after', '2');
      this.#head(response, 503, 'text/plain; charset=utf-8');
      response.end('browsers have not read too many answers yet\n');
      return;
    }
    this.#unreadAnswerBytes += bytes;
    response.on('close', () => {
      this.#unreadAnswerBytes -= bytes;
    });
    response.setHeader('content-length', bytes);
    this.#head(response, status, contentType);
    response.end(response.req.method === 'HEAD' ? undefined : body);
  }

  #head(response: ServerResponse, status: number, contentType: string): void {
    response.writeHead(status, {
      'content-type': contentType,
      'cache-control': 'no-store',
      'content-security-policy': POLICY,
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'cross-origin-resource-policy': 'same-origin',
      'cross-origin-opener-policy': 'same-origin',
    });
  }
}

function eventOf(view: string): string {
  return `event: view\ndata: ${view}\n\n`;
}

/** Says what to set, because a person behind a proxy reads it. */
function unknownHost(header: string | undefined): string {
  const name = hostNamed(header);
  const who = name === undefined ? 'a Host that is no name' : `the name ${name}`;
  const add = name === undefined ? 'the name' : name;
  return `The console does not answer by ${who}. Open it by an IP address or localhost, or add ${add} to WEIR_CONSOLE_ALLOWED_HOSTS (console.allowedHosts in the chart).`;
}

/** JSON, with or without a charset. A form of another page cannot send it unasked. */
function isJson(contentType = ''): boolean {
  return /^application\/json *(?:;|$)/i.test(contentType);
}

/** Undefined if it is larger than any request is. */
async function readBody(request: IncomingMessage): Promise<string | undefined> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  for await (const piece of request) {
    bytes += piece.length;
    if (bytes > maxBodyBytes) return undefined;
    pieces.push(piece);
  }
  return Buffer.concat(pieces).toString('utf8');
}

function parsed(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

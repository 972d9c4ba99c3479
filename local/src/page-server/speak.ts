// The live part of the page's server: `/events` tells, `/do` is asked. Only a page that this server has served may do so.
import { timingSafeEqual } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Live, Reply } from './live.ts';

export interface Spoken {
  readonly path: string;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly live: Live;
  readonly token: string;
}

const MAX_BODY_BYTES = 64_000;
/** A page that reads nothing is no longer told. */
const MAX_WAITING_BYTES = 1_000_000;

const STREAM_HEAD = {
  'Content-Type': 'text/event-stream',
  'Cache-Control': 'no-store',
  'X-Content-Type-Options': 'nosniff',
  'Cross-Origin-Resource-Policy': 'same-origin',
};

/** Whether the request was one of these; it is answered then. */
export async function speak(spoken: Spoken): Promise<boolean> {
  if (spoken.path === '/events') {
    listen(spoken);
    return true;
  }
  if (spoken.path !== '/do') return false;
  const { status, body } = await answer(spoken);
  const text = JSON.stringify(body);
  const head = { 'Content-Type': 'application/json', 'X-Content-Type-Options': 'nosniff' };
  spoken.response.writeHead(status, { ...head, 'Cache-Control': 'no-store' }).end(text);
  return true;
}

function listen({ request, response, live, token }: Spoken): void {
  const given = new URLSearchParams((request.url ?? '').split('?')[1]).get('token') ?? '';
  if (request.method !== 'GET' || !isSame(given, token)) {
    response.writeHead(403).end('open the page anew\n');
    return;
  }
  const begin = (): void => {
    if (!response.headersSent) response.writeHead(200, STREAM_HEAD).flushHeaders();
  };
  const stop = live.watch((event, data) => {
    begin();
    if (response.writableLength > MAX_WAITING_BYTES) response.destroy();
    else response.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
  });
  if (stop === undefined) {
    response.writeHead(503).end('too many pages listen already\n');
    return;
  }
  begin();
  response.on('close', stop);
}

async function answer({ request, live, token }: Spoken): Promise<Reply> {
  const { origin, host } = request.headers;
  if (request.method !== 'POST') return refusal(405, 'only POST');
  if (origin !== `http://${host}`) return refusal(403, 'only the page itself may ask for this');
  if (!/^application\/json\b/.test(request.headers['content-type'] ?? ''))
    return refusal(415, 'only application/json');
  const given = request.headers['x-weir-token'];
  if (typeof given !== 'string' || !isSame(given, token))
    return refusal(403, 'this page is of another run: load it again');
  const body = await bodyOf(request);
  return body === undefined ? refusal(413, 'too large') : live.act(body);
}

function refusal(status: number, error: string): Reply {
  return { status, body: { error } };
}

function isSame(given: string, token: string): boolean {
  const [one, other] = [Buffer.from(given), Buffer.from(token)];
  return one.length === other.length && timingSafeEqual(one, other);
}

/** Undefined where it is too large. */
async function bodyOf(request: IncomingMessage): Promise<string | undefined> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  for await (const piece of request) {
    bytes += piece.length;
    if (bytes > MAX_BODY_BYTES) return undefined;
    pieces.push(piece);
  }
  return Buffer.concat(pieces).toString('utf8');
}

// Requests to the API server. Each has a deadline and a size bound; the library's requests have neither, so a half-open
// connection stays silent forever. Each has its own connection, so none inherits a dead one.
import type { ClientRequest, IncomingMessage } from 'node:http';
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { Access } from './access.ts';
import { KubeApiError, KubeUnreachableError } from './errors.ts';
import { LineSplitter } from './lines.ts';
import { textAt } from './object.ts';

type Query = Readonly<Record<string, string>>;

/** One request. */
export interface KubeRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH';
  /** Absolute path, each part already encoded. */
  readonly path: string;
  readonly query?: Query;
  readonly body?: unknown;
  readonly deadlineMs?: number;
}

/** A request whose answer has no end of its own. */
export interface KubeStream {
  readonly path: string;
  readonly query: Query;
  /** Gets each line as JSON; an error that it throws ends the stream. */
  readonly onEvent: (event: unknown) => void;
  /** The stream ends by then, whatever the server does. */
  readonly deadlineMs: number;
  readonly signal: AbortSignal;
}

/** The API server. */
export interface KubeApi {
  /** Resolves to the answer. Throws `KubeApiError` for a refusal, `KubeUnreachableError` without an answer. */
  request(request: KubeRequest): Promise<unknown>;
  /** Resolves when the server ends the stream. */
  stream(stream: KubeStream): Promise<void>;
}

const defaultDeadlineMs = 10_000;
/** 5,000 pods as JSON are about 40 MB; pages have 250. */
const maxBodyBytes = 32 * 1024 * 1024;
const maxLineBytes = 4 * 1024 * 1024;
const maxErrorBytes = 64 * 1024;

/** The API server of `access`. */
export function createKubeApi(access: Access): KubeApi {
  return { request: (one) => request(access, one), stream: (one) => stream(access, one) };
}

async function request(access: Access, one: KubeRequest): Promise<unknown> {
  const { deadlineMs = defaultDeadlineMs, body } = one;
  const signal = AbortSignal.timeout(deadlineMs);
  const response = await send(access, one, signal, body === undefined ? undefined : JSON.stringify(body));
  const ok = (response.statusCode ?? 0) < 300;
  const answer = parseJson(await readBody(response, ok ? maxBodyBytes : maxErrorBytes));
  if (!ok) throw refusal(access, response, answer);
  if (answer === undefined)
    throw new KubeUnreachableError('the API server answered something else than JSON');
  return answer;
}

async function stream(access: Access, one: KubeStream): Promise<void> {
  const { path, query, onEvent, deadlineMs } = one;
  const signal = AbortSignal.any([AbortSignal.timeout(deadlineMs), one.signal]);
  const response = await send(access, { method: 'GET', path, query }, signal);
  if (response.statusCode !== 200)
    throw refusal(access, response, parseJson(await readBody(response, maxErrorBytes)));
  const lines = new LineSplitter(maxLineBytes);
  try {
    for await (const chunk of response) {
      for (const line of lines.push(chunkBytes(chunk))) {
        const event = parseJson(line);
        if (event === undefined) throw new KubeUnreachableError('the stream has a line that is not JSON');
        onEvent(event);
      }
    }
  } catch (error) {
    throw asUnreachable(error);
  } finally {
    response.destroy();
  }
}

async function send(
  access: Access,
  { method, path, query = {} }: KubeRequest,
  signal: AbortSignal,
  body?: string,
): Promise<IncomingMessage> {
  const { server, options } = await access.next();
  const url = new URL(server + path);
  for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
  const headers = {
    ...options.headers,
    accept: 'application/json',
    'user-agent': 'weir',
    ...(body === undefined
      ? {}
      : {
          'content-type': method === 'PATCH' ? 'application/merge-patch+json' : 'application/json',
          'content-length': Buffer.byteLength(body),
        }),
  };
  const start = url.protocol === 'http:' ? httpRequest : httpsRequest;
  return new Promise((resolve, reject) => {
    let sent: ClientRequest | undefined;
    try {
      sent = start(url, { ...options, method, headers, signal }, resolve);
    } catch (error) {
      reject(asUnreachable(error));
      return;
    }
    sent.on('error', (error) => reject(asUnreachable(error)));
    sent.end(body);
  });
}

async function readBody(response: IncomingMessage, maxBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of response) {
      const part = chunkBytes(chunk);
      bytes += part.byteLength;
      if (bytes > maxBytes) throw new KubeUnreachableError('the answer is larger than it may be');
      chunks.push(part);
    }
  } catch (error) {
    throw asUnreachable(error);
  } finally {
    response.destroy();
  }
  return Buffer.concat(chunks);
}

function chunkBytes(chunk: unknown): Buffer {
  return Buffer.isBuffer(chunk) ? chunk : Buffer.from(String(chunk));
}

function refusal(access: Access, { statusCode = 0 }: IncomingMessage, answer: unknown): KubeApiError {
  if (statusCode === 401) access.refused();
  const message = textAt(answer, 'message').slice(0, 500);
  return new KubeApiError(statusCode, message === '' ? `the API server answered ${statusCode}` : message);
}

function asUnreachable(error: unknown): Error {
  if (error instanceof KubeUnreachableError || error instanceof KubeApiError) return error;
  const name = error instanceof Error ? error.name : '';
  if (name === 'AbortError' || name === 'TimeoutError')
    return new KubeUnreachableError('the API server did not answer in time', { cause: error });
  const reason = error instanceof Error ? error.message : 'unknown reason';
  return new KubeUnreachableError(`the API server cannot be reached: ${reason}`, { cause: error });
}

function parseJson(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch {
    return undefined;
  }
}

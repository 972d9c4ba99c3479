// HTTP ingest: POST /v1/publish. Refuses early and in words; knows nothing of NATS but what the sender tells.
import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { RequestRefusal } from '../metrics.ts';
import type { Message } from '../parse/message.ts';
import type { Batch, BatchProblem, BodyFormat } from '../parse/parse-batch.ts';
import type { Outcome } from '../send/outcome.ts';
import type { Answer, LineResult } from './answers.ts';
import { answerOf, invalidResult, sentResult } from './answers.ts';

export interface IngestOptions {
  readonly apiKeys: readonly string[];
  readonly maxBodyBytes: number;
  readonly maxRequests: number;
  readonly bodyTimeoutMs: number;
  readonly connected: () => boolean;
  readonly parse: (body: Buffer, format: BodyFormat) => Batch | { readonly problem: BatchProblem };
  readonly send: (messages: readonly Message[]) => Promise<readonly Outcome[]>;
  /** Whether so many messages are within the rate. */
  readonly take: (messages: number) => boolean;
  readonly onInvalid: () => void;
  readonly onRefused: (reason: RequestRefusal) => void;
}

const PATH = '/v1/publish';
const formats: Readonly<Record<string, BodyFormat>> = {
  'application/json': 'json',
  'application/x-ndjson': 'ndjson',
  'application/ndjson': 'ndjson',
};

/** A request that is refused as a whole. */
class Refusal extends Error {
  readonly reason: RequestRefusal;
  readonly answer: Answer;

  constructor(
    reason: RequestRefusal,
    status: number,
    error: { code: string; message: string },
    retryAfterSeconds?: number,
  ) {
    super(error.message);
    this.reason = reason;
    this.answer = {
      status,
      body: { error },
      ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
    };
  }
}

/** The server; the caller makes it listen. */
export function createIngest(options: IngestOptions): Server {
  const keys = options.apiKeys.map(digest);
  let requests = 0;
  const server = createServer(
    { maxHeaderSize: 16_384, headersTimeout: options.bodyTimeoutMs, requestTimeout: options.bodyTimeoutMs },
    (request, response) => {
      requests++;
      publish(request, { options, keys, busy: requests > options.maxRequests })
        .catch((error: unknown): Answer => {
          if (!(error instanceof Refusal)) throw error;
          options.onRefused(error.reason);
          return error.answer;
        })
        .then((answer) => reply(response, answer))
        .finally(() => {
          requests--;
        });
    },
  );
  return server;
}

async function publish(
  request: IncomingMessage,
  at: { readonly options: IngestOptions; readonly keys: readonly Buffer[]; readonly busy: boolean },
): Promise<Answer> {
  const { options } = at;
  if (request.url?.split('?')[0] !== PATH) {
    throw new Refusal('path', 404, { code: 'NOT_FOUND', message: `publish with POST ${PATH}` });
  }
  if (request.method !== 'POST')
    throw new Refusal('method', 405, { code: 'METHOD', message: `use POST ${PATH}` });
  if (!mayPublish(request, at.keys)) {
    throw new Refusal('key', 401, {
      code: 'API_KEY',
      message: 'an API key is needed: Authorization: Bearer <key>',
    });
  }
  const type = request.headers['content-type']?.split(';')[0]?.trim().toLowerCase() ?? '';
  const format = formats[type];
  if (format === undefined) {
    const message = 'content-type must be application/json or application/x-ndjson';
    throw new Refusal('contentType', 415, { code: 'CONTENT_TYPE', message });
  }
  if (at.busy) throw new Refusal('busy', 503, { code: 'BUSY', message: 'too many requests at a time' }, 1);
  if (!options.connected()) {
    const message = 'NATS is away; nothing was kept, send it again later';
    throw new Refusal('unavailable', 503, { code: 'NATS_UNAVAILABLE', message }, 1);
  }
  const batch = options.parse(await readBody(request, options.maxBodyBytes), format);
  if ('problem' in batch) throw new Refusal('body', 400, batch.problem);
  if (!options.take(batch.messages.length)) {
    throw new Refusal(
      'rate',
      429,
      { code: 'RATE', message: 'too many messages a second; nothing was kept' },
      1,
    );
  }
  return send(batch, options);
}

async function send(batch: Batch, options: IngestOptions): Promise<Answer> {
  const valid = batch.messages.flatMap((parsed) => ('value' in parsed ? [parsed.value] : []));
  const outcomes = await options.send(valid);
  let next = 0;
  const results = batch.messages.map((parsed): LineResult => {
    if ('problem' in parsed) {
      options.onInvalid();
      return invalidResult(parsed);
    }
    return sentResult(outcomes[next++] ?? { kind: 'unknown' });
  });
  return answerOf(batch.single, results);
}

async function readBody(request: IncomingMessage, maxBytes: number): Promise<Buffer> {
  const tooLarge = new Refusal('tooLarge', 413, {
    code: 'TOO_LARGE',
    message: `the body may have ${maxBytes} bytes`,
  });
  if (Number(request.headers['content-length'] ?? 0) > maxBytes) throw tooLarge;
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of request) {
      const part = Buffer.from(chunk);
      bytes += part.length;
      if (bytes > maxBytes) throw tooLarge;
      chunks.push(part);
    }
  } catch (error) {
    if (error instanceof Refusal) throw error;
    throw new Refusal('body', 400, { code: 'BODY', message: 'the body ended before it was whole' });
  }
  return Buffer.concat(chunks);
}

function mayPublish(request: IncomingMessage, keys: readonly Buffer[]): boolean {
  if (keys.length === 0) return true;
  const header = request.headers['x-api-key'] ?? request.headers.authorization?.replace(/^Bearer /i, '');
  if (typeof header !== 'string') return false;
  const given = digest(header);
  // All of them are compared, so that the time tells nothing.
  return keys.filter((key) => timingSafeEqual(key, given)).length > 0;
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

function reply(response: ServerResponse, answer: Answer): void {
  if (response.destroyed) return;
  const body = `${JSON.stringify(answer.body)}\n`;
  const retry =
    answer.retryAfterSeconds === undefined ? {} : { 'retry-after': String(answer.retryAfterSeconds) };
  const allow = answer.status === 405 ? { allow: 'POST' } : {};
  const close = answer.status === 413 ? { connection: 'close' } : {};
  response
    .writeHead(answer.status, { 'content-type': 'application/json', ...retry, ...allow, ...close })
    .end(body);
}

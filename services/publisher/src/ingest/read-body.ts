// Reads a request's body up to a limit. Never holds more than the limit; the server limits the time.
import type { IncomingMessage } from 'node:http';
import type { BodyFormat } from '../parse/parse-batch.ts';

/** The body, or why there is none. */
export type Body = { readonly bytes: Buffer } | { readonly problem: 'BODY_TOO_LARGE' | 'BODY_CUT_OFF' };

/** Resolves when the body is complete, too large or cut off; never rejects. */
export function readBody(request: IncomingMessage, maxBytes: number): Promise<Body> {
  const announced = Number(request.headers['content-length'] ?? 0);
  if (announced > maxBytes) return Promise.resolve({ problem: 'BODY_TOO_LARGE' });
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const settle = (body: Body): void => {
      request.off('data', take);
      resolve(body);
    };
    const take = (chunk: Buffer): void => {
      size += chunk.length;
      if (size > maxBytes) settle({ problem: 'BODY_TOO_LARGE' });
      else chunks.push(chunk);
    };
    request.on('data', take);
    request.once('end', () => settle({ bytes: Buffer.concat(chunks) }));
    request.once('error', () => settle({ problem: 'BODY_CUT_OFF' }));
    request.once('close', () => settle({ problem: 'BODY_CUT_OFF' }));
  });
}

const formats: ReadonlyMap<string, BodyFormat> = new Map([
  ['application/json', 'json'],
  ['application/x-ndjson', 'ndjson'],
  ['application/ndjson', 'ndjson'],
]);

/** The format in the headers; undefined if it is not supported, not UTF-8, or compressed. */
export function formatOf(request: Pick<IncomingMessage, 'headers'>): BodyFormat | undefined {
  const encoding = request.headers['content-encoding'];
  if (encoding !== undefined && encoding.toLowerCase() !== 'identity') return undefined;
  const [type = '', ...parameters] = (request.headers['content-type'] ?? '').split(';');
  const foreign = parameters.some((parameter) => {
    const [name = '', value = ''] = parameter.split('=');
    return name.trim().toLowerCase() === 'charset' && !/^"?utf-?8"?$/i.test(value.trim());
  });
  return foreign ? undefined : formats.get(type.trim().toLowerCase());
}

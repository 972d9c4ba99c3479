import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import { fetchLost, isUrl } from './fetch-lost.ts';

let server: Server | undefined;
afterEach(() => {
  server?.closeAllConnections();
  server?.close();
});

/** A server that answers by `handle`; resolves with its base URL. */
function serve(handle: (request: IncomingMessage, response: ServerResponse) => void): Promise<string> {
  const made = createServer(handle);
  server = made;
  return new Promise((resolve) => {
    made.listen(0, '127.0.0.1', () => {
      const at = made.address();
      resolve(`http://127.0.0.1:${typeof at === 'object' ? at?.port : ''}`);
    });
  });
}

async function read(source: string): Promise<string> {
  const pieces: Buffer[] = [];
  for await (const piece of await fetchLost(source, new AbortController())) pieces.push(piece);
  return Buffer.concat(pieces).toString();
}

describe('a source of lost state', () => {
  it('is a URL or a file', () => {
    expect(['http://a', 'HTTPS://a', 'a', '-', 'http:a'].map(isUrl)).toEqual([
      true,
      true,
      false,
      false,
      false,
    ]);
  });

  it('is the admin port of a shard, or a whole URL', async () => {
    const base = await serve(({ url }, response) => response.end(`at ${url}\n`));
    expect(await read(base)).toBe('at /lost-state\n');
    expect(await read(`${base}/`)).toBe('at /lost-state\n');
    expect(await read(`${base}/proxy/lost-state?x`)).toBe('at /proxy/lost-state?x\n');
  });

  it('reports a server that is not a shard, and a server that does not answer', async () => {
    const base = await serve((_request, response) => response.writeHead(404).end());
    await expect(read(base)).rejects.toThrow(/answers 404: is it the admin port/);
    server?.close();
    server?.closeAllConnections();
    await expect(read(base)).rejects.toThrow(/does not answer/);
    await expect(read('http://:80:80')).rejects.toThrow(/is not a URL/);
  });

  it('reports a truncated answer instead of treating it as the end', async () => {
    const base = await serve((_request, response) => {
      response.write('{"lane"');
      response.on('drain', () => undefined);
      setImmediate(() => response.destroy());
    });
    await expect(read(base)).rejects.toThrow(/was cut off|does not answer/);
  });
});

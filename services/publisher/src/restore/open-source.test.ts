import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import { openSource } from './open-source.ts';

let server: Server | undefined;
afterEach(() => {
  server?.closeAllConnections();
  server?.close();
});

/** A server that answers by `handle`; resolves with its base. */
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

async function* nothing(): AsyncGenerator<Buffer> {}

async function read(source: AsyncIterable<Buffer>): Promise<string> {
  const pieces: Buffer[] = [];
  for await (const piece of source) pieces.push(piece);
  return Buffer.concat(pieces).toString();
}

describe('a source of lost state', () => {
  it('is the admin port of a shard, or a whole URL', async () => {
    const base = await serve(({ url }, response) => response.end(`at ${url}\n`));
    expect(await read(await openSource(base, nothing()))).toBe('at /lost-state\n');
    expect(await read(await openSource(`${base}/`, nothing()))).toBe('at /lost-state\n');
    expect(await read(await openSource(`${base}/proxy/lost-state?x`, nothing()))).toBe(
      'at /proxy/lost-state?x\n',
    );
  });

  it('is standard input', async () => {
    async function* input() {
      yield Buffer.from('a line');
    }
    expect(await read(await openSource('-', input()))).toBe('a line');
  });

  it('says so where it is no shard, and where nobody answers', async () => {
    const base = await serve((_request, response) => response.writeHead(404).end());
    await expect(openSource(base, nothing())).rejects.toThrow(/answers 404: is it the admin port/);
    server?.close();
    server?.closeAllConnections();
    await expect(openSource(base, nothing())).rejects.toThrow(/does not answer/);
    await expect(openSource('http://:80:80', nothing())).rejects.toThrow(/is not a URL/);
  });

  it('takes an answer that is cut off for what it is, not for the end', async () => {
    const base = await serve((_request, response) => {
      response.write('{"lane"');
      response.on('drain', () => undefined);
      setImmediate(() => response.destroy());
    });
    await expect(openSource(base, nothing()).then(read)).rejects.toThrow(/was cut off|does not answer/);
  });
});

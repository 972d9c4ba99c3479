import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
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

const MAX_LINE_BYTES = 1_000;

async function read(source: string): Promise<readonly string[]> {
  const lines: string[] = [];
  for await (const { bytes } of (await openSource(source, MAX_LINE_BYTES)).lines) lines.push(String(bytes));
  return lines;
}

describe('a source of lost state', () => {
  it('is the admin port of a shard, or a whole URL', async () => {
    const base = await serve(({ url }, response) => response.end(`at ${url}\n`));
    expect(await read(base)).toEqual(['at /lost-state']);
    expect(await read(`${base}/`)).toEqual(['at /lost-state']);
    expect(await read(`${base}/proxy/lost-state?x`)).toEqual(['at /proxy/lost-state?x']);
  });

  it('is a file, packed or not', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'weir-source-'));
    const [plain, packed] = [join(folder, 'plain'), join(folder, 'packed')];
    await writeFile(plain, 'one\ntwo\n');
    await writeFile(packed, gzipSync('one\ntwo\n'));
    for (const file of [plain, packed]) expect(await read(file)).toEqual(['one', 'two']);
    await expect(read(folder)).rejects.toThrow(/folder/);
    await rm(folder, { recursive: true });
  });

  it('says so where it is no shard, and where nobody answers', async () => {
    const base = await serve((_request, response) => response.writeHead(404).end());
    await expect(read(base)).rejects.toThrow(/answers 404: is it the admin port/);
    server?.close();
    server?.closeAllConnections();
    await expect(read(base)).rejects.toThrow(/does not answer/);
    await expect(read('http://:80:80')).rejects.toThrow(/is not a URL/);
  });

  it('takes an answer that is cut off for what it is, not for the end', async () => {
    const base = await serve((_request, response) => {
      response.write('{"lane"');
      response.on('drain', () => undefined);
      setImmediate(() => response.destroy());
    });
    await expect(read(base)).rejects.toThrow(/was cut off|does not answer/);
  });
});

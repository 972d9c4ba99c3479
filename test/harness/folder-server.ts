// The files of a folder over HTTP on loopback, as they are on the disk: what a web server does for a page without a build.
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join, normalize } from 'node:path';

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
};

export interface FolderServer {
  readonly url: string;
  stop(): void;
}

/** `edit` changes what is served. */
export async function serveFolder(
  folder: string,
  edit: (text: string) => string = (text) => text,
): Promise<FolderServer> {
  const server = createServer(async (request, response) => {
    const path = normalize(new URL(request.url ?? '/', 'http://here').pathname);
    const file = join(folder, path.endsWith('/') ? `${path}index.html` : path);
    try {
      const text = await readFile(file, 'utf8');
      response.setHeader('content-type', TYPES[extname(file)] ?? 'text/plain');
      response.setHeader('access-control-allow-origin', '*'); // modules may be imported by pages of other origins
      response.end(edit(text));
    } catch {
      response.statusCode = 404;
      response.end();
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    stop() {
      server.closeAllConnections();
      server.close();
    },
  };
}

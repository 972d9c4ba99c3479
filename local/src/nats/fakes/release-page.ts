// Plays the release page of nats-server: the list of checksums, and archives with a shell script as the program.
import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import { gzipSync } from 'node:zlib';
import { archiveName, type Machine } from '../fetch-release.ts';
import { NATS_VERSION } from '../pinned.ts';

export interface ReleasePage {
  readonly url: string;
  /** Requested paths, in order. */
  readonly asked: readonly string[];
  close(): Promise<void>;
}

export const MACHINES: readonly Machine[] = ['linux', 'darwin'].flatMap((platform) =>
  ['x64', 'arm64'].map((arch) => ({ platform, arch })),
);

export interface ReleaseOptions {
  /** Lines of the program. */
  readonly script: string;
  /** A wrong checksum for every archive in the list. */
  readonly sum?: string;
  /** An archive to serve instead of one with the program. */
  readonly archive?: Buffer;
}

/** Serves the archives of all machines at `/v<version>/…`, with a redirect like the real page. */
export async function startReleasePage({ script, sum, archive }: ReleaseOptions): Promise<ReleasePage> {
  const files = new Map<string, Buffer>();
  const sums: string[] = [];
  for (const machine of MACHINES) {
    const name = archiveName(machine) ?? '';
    const folder = name.replace(/\.tar\.gz$/, '');
    const program = `#!/bin/sh\n# ${machine.platform} ${machine.arch}\n${script}\n`;
    const bytes =
      archive ?? gzipSync(tarOf({ [`${folder}/README.md`]: 'read me', [`${folder}/nats-server`]: program }));
    files.set(`/files/${name}`, bytes);
    sums.push(`${sum ?? createHash('sha256').update(bytes).digest('hex')}  ${name}`);
  }
  files.set('/files/SHA256SUMS', Buffer.from(`${sums.join('\n')}\n`));
  const asked: string[] = [];
  const server = createServer((request, response) => {
    const path = request.url ?? '';
    asked.push(path);
    const released = new RegExp(`^/v${NATS_VERSION.replaceAll('.', '\\.')}/([^/]+)$`).exec(path)?.[1];
    const bytes = files.get(path);
    if (released !== undefined) response.writeHead(302, { location: `/files/${released}` }).end();
    else if (bytes === undefined) response.writeHead(404).end();
    else response.writeHead(200).end(bytes);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    url: `http://127.0.0.1:${port}/`,
    asked,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** A tar archive of plain files. */
export function tarOf(files: Readonly<Record<string, string>>): Buffer {
  const blocks = Object.entries(files).flatMap(([name, content]) => {
    const bytes = Buffer.from(content);
    const header = Buffer.alloc(512);
    header.write(name, 0);
    header.write('0000755\0', 100);
    header.write(`${bytes.length.toString(8).padStart(11, '0')}\0`, 124);
    header.write('0', 156);
    header.write('ustar\0', 257);
    return [header, bytes, Buffer.alloc((512 - (bytes.length % 512)) % 512)];
  });
  return Buffer.concat([...blocks, Buffer.alloc(1024)]);
}

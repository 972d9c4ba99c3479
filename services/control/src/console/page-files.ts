// The files of the page, and of the one library that it draws charts with. The build puts them beside the bundle. Read
// once at the start: nothing that a request says becomes a path of a file.
import { readdir, readFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export interface PageFile {
  readonly bytes: Buffer;
  readonly contentType: string;
}

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
};

/** By the path of the URL. */
export async function readPageFiles(): Promise<ReadonlyMap<string, PageFile>> {
  const folder = fileURLToPath(new URL('./page/', import.meta.url));
  const names = await readdir(folder, { recursive: true });
  const files = names.flatMap((name) => {
    const contentType = TYPES[extname(name)];
    return contentType === undefined ? [] : [{ name, contentType }];
  });
  return new Map(
    await Promise.all(
      files.map(async ({ name, contentType }) => {
        const path = name === 'index.html' ? '/' : `/${name}`;
        return [path, { bytes: await readFile(join(folder, name)), contentType }] as const;
      }),
    ),
  );
}

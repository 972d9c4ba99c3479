// Maps a URL path to a file of a folder. Must never return a file outside the folder.
import { readFile, realpath } from 'node:fs/promises';
import { extname, join, sep } from 'node:path';

export interface StaticFile {
  readonly bytes: Buffer;
  readonly contentType: string;
}

const CONTENT_TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json',
  '.map': 'application/json',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.jpg': 'image/jpeg',
  '.webp': 'image/webp',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
  '.txt': 'text/plain; charset=utf-8',
};

/** The file for a URL's path (`/` is `index.html`), or undefined if there is no such public file. */
export async function readStaticFile(folder: string, urlPath: string): Promise<StaticFile | undefined> {
  const path = decode(urlPath);
  if (path === undefined) return undefined;
  const wanted = join(folder, path.endsWith('/') ? `${path}index.html` : path);
  try {
    // The target of a symbolic link must be inside the folder, not only the link.
    const [root, real] = await Promise.all([realpath(folder), realpath(wanted)]);
    if (!real.startsWith(root + sep)) return undefined;
    return { bytes: await readFile(real), contentType: contentTypeOf(real) };
  } catch {
    return undefined; // missing, or a folder
  }
}

export function contentTypeOf(path: string): string {
  return CONTENT_TYPES[extname(path).toLowerCase()] ?? 'application/octet-stream';
}

/** The path decoded once, or undefined if it is malformed, hidden, or leads upwards. */
function decode(urlPath: string): string | undefined {
  let path: string;
  try {
    path = decodeURIComponent(urlPath);
  } catch {
    return undefined;
  }
  if (path.includes('\0') || path.includes('\\')) return undefined;
  return path.split('/').some((part) => part.startsWith('.')) ? undefined : path;
}

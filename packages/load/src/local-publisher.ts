// The publisher of the cluster that `npm start` runs in this folder or one above it, if its router is the given one.
// `npm start` writes `.weir/local.json`, also when it had to take other ports than the usual ones.
import { dirname, join } from 'node:path';

/** Undefined if no such file names this router. `readText` returns undefined for a file that is not there. */
export function localPublisher(
  routerUrl: string,
  folder: string,
  readText: (path: string) => string | undefined,
): string | undefined {
  for (let at = folder; ; at = dirname(at)) {
    const text = readText(join(at, '.weir', 'local.json'));
    if (text !== undefined) return publisherOf(text, routerUrl);
    if (dirname(at) === at) return undefined;
  }
}

function publisherOf(text: string, routerUrl: string): string | undefined {
  try {
    const { router, publisher }: Readonly<Record<string, unknown>> = Object(JSON.parse(text));
    const isIt = hostOf(router) !== undefined && hostOf(router) === hostOf(routerUrl);
    return isIt && typeof publisher === 'string' ? publisher : undefined;
  } catch {
    return undefined;
  }
}

function hostOf(url: unknown): string | undefined {
  return typeof url === 'string' && URL.canParse(url) ? new URL(url).host : undefined;
}

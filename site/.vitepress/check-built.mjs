// Looks at the built pages as a browser would: VitePress checks links to pages, not their anchors, and nothing of what a
// page loads. A page that asks another host for anything would tell that host about its readers.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const PAGE = 'http://site';

/** Throws an Error that lists every link to an anchor or a file that is not there, and every foreign thing that is loaded. */
export function checkBuilt(outDir, base) {
  const pages = new Map(
    readdirSync(outDir, { recursive: true })
      .filter((name) => name.endsWith('.html'))
      .map((name) => [`/${name}`, readFileSync(join(outDir, name), 'utf8')]),
  );
  const ids = new Map(
    [...pages].map(([name, html]) => [
      name,
      new Set([...html.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id)),
    ]),
  );
  const fileOf = (pathname) =>
    [pathname, `${pathname}.html`, `${pathname}index.html`].find((name) => ids.has(name));
  const problems = new Set();
  for (const [name, html] of pages) {
    for (const [, href] of html.matchAll(/<a [^>]*href="([^"]+)"/g)) {
      const { origin, pathname, hash } = new URL(
        href.replaceAll('&amp;', '&'),
        `${PAGE}${base}${name.slice(1)}`,
      );
      if (origin !== PAGE) continue;
      const path = `/${decodeURI(pathname).slice(base.length)}`;
      const target = fileOf(path);
      if (
        target === undefined
          ? !existsSync(join(outDir, path))
          : hash !== '' && !ids.get(target).has(decodeURI(hash.slice(1)))
      )
        problems.add(`${name}: nothing is at ${href}`);
    }
    for (const [tag] of html.matchAll(
      /<(link|script|img|iframe|source)\b[^>]*(href|src)="(https?:)?\/\/[^>]*>/g,
    ))
      problems.add(`${name} loads from another host: ${tag}`);
  }
  if (problems.size > 0) throw new Error(`the built site has problems:\n${[...problems].join('\n')}`);
}

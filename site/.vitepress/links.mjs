// What links become: anchors as GitHub makes them, and addresses of the repository where a link leads out of docs/.
import { existsSync, statSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';

/** GitHub's anchor of a heading: lower case, no punctuation, a hyphen for each space. */
export function slugOf(heading) {
  return heading
    .trim()
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\p{M}\s_-]/gu, '')
    .replaceAll(/\s/g, '-');
}

/**
 * A plugin of markdown-it. A relative link to a file outside of `docs` becomes one to the repository, or plain text
 * where that has no address; a link to a file that is not there ends the build.
 */
export function repositoryLinks(md, { root, docs, repository }) {
  md.core.ruler.push('repository-links', ({ tokens, env }) => {
    for (const { children } of tokens) {
      for (const [at, token] of (children ?? []).entries()) {
        if (token.type !== 'link_open') continue;
        const href = token.attrGet('href') ?? '';
        if (/^([a-z]+:|#|\/)/i.test(href)) continue;
        const [path, hash] = href.split('#');
        const file = join(dirname(env.path), decodeURI(path));
        if (file.startsWith(`${docs}/`)) continue;
        if (!existsSync(file)) throw new Error(`${env.path}: the link ${href} leads to no file`);
        if (repository === undefined) {
          const end = children.findIndex(({ type }, later) => later > at && type === 'link_close');
          token.attrs = [['title', `${relative(root, file)} of the repository`]];
          token.tag = 'span';
          children[end].tag = 'span';
          // VitePress looks at the links of this type alone.
          token.type = 'span_open';
          children[end].type = 'span_close';
          continue;
        }
        const kind = statSync(file).isDirectory() ? 'tree' : 'blob';
        const address = `${repository}/${kind}/main/${relative(root, file)}`;
        token.attrSet('href', hash === undefined ? address : `${address}#${hash}`);
      }
    }
  });
}

// docs/architecture.md points at code: whatever it names is there.
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';

const root = new URL('../../', import.meta.url);

it('names files and folders that exist', async () => {
  const page = await readFile(new URL('docs/architecture.md', root), 'utf8');
  const named = [...page.matchAll(/`((?:packages|services|local|test)\/[\w./-]*)`/g)].map(([, path]) =>
    String(path),
  );
  const linked = [...page.matchAll(/\]\(([\w./-]+)\)/g)].map(([, path]) => `docs/${path}`);
  expect(named.length).toBeGreaterThan(30);
  expect([...named, ...linked].filter((path) => !existsSync(new URL(path, root)))).toEqual([]);
});

it('names functions that are in their files, and a message meets at most 25 files', async () => {
  const page = await readFile(new URL('docs/architecture.md', root), 'utf8');
  const walks = page.split('\n### ').slice(1);
  const hops = (walk: string | undefined): readonly (readonly [string, string])[] =>
    [...(walk ?? '').matchAll(/^\| \d+ +\|.*\| `([^`]*)` +\| ([^|]*)\|$/gm)].map(
      ([, path = '', names = '']) => [path, names],
    );
  const files = new Set(
    hops(walks.find((walk) => walk.startsWith('One state message'))).map(([path]) => path),
  );
  expect(files.size).toBeGreaterThan(20);
  expect(files.size).toBeLessThanOrEqual(25);
  const missing: string[] = [];
  for (const [path, names] of walks.flatMap(hops)) {
    const source = await readFile(new URL(path, root), 'utf8');
    for (const [, name] of names.matchAll(/`([^`]+)`/g))
      if (!source.includes(`${name}(`)) missing.push(`${path} ${name}`);
  }
  expect(missing).toEqual([]);
});

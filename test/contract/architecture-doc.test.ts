// Pages that refer to code and tests: every file and function they name exists.
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';

const root = new URL('../../', import.meta.url);

const isThere = (path: string): boolean => existsSync(new URL(path, root));

it.each([
  ['docs/architecture.md', 30],
  ['docs/testing.md', 10],
])('%s names files and folders that exist', async (name, least) => {
  const page = await readFile(new URL(name, root), 'utf8');
  const named = [...page.matchAll(/`((?:packages|services|local|test)\/[\w./-]*)`/g)].map(([, path]) =>
    String(path),
  );
  const linked = [...page.matchAll(/\]\(([\w./-]+)(?:#[\w-]+)?\)/g)].map(([, path]) => `docs/${path}`);
  expect(named.length).toBeGreaterThan(least);
  expect([...named, ...linked].filter((path) => !isThere(path))).toEqual([]);
});

it('docs/reliability.md names tests that exist', async () => {
  const page = await readFile(new URL('docs/reliability.md', root), 'utf8');
  const named = [...page.matchAll(/`(?:test\/)?((?:cluster|alone|contract|lab)\/[\w/-]+)`/g)].map(
    ([, path]) => `test/${path}`,
  );
  expect(named.length).toBeGreaterThan(50);
  expect(named.filter((path) => !isThere(path) && !isThere(`${path}.test.ts`))).toEqual([]);
});

it('names functions that exist in their files, and at most 25 files on the way of a message', async () => {
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

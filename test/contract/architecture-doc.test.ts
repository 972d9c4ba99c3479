// Pages that point at code and tests: whatever they name is there.
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

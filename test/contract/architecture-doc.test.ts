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

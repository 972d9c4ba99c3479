// examples/: three commands each, and the version of the SDK that this repository has. `npm run test:packages` follows the
// READMEs.
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { PAGES, PUBLISHERS, printedIn, readExample } from '../harness/programs/example-readmes.ts';

const root = new URL('../../', import.meta.url);
const publishers = Object.keys(PUBLISHERS).map((name) => `publishers/${name}`);

describe('examples', () => {
  it('are all known to the tests, and in the table of their README', () => {
    const folders = (path: string): string[] =>
      readdirSync(new URL(path, root), { withFileTypes: true }).flatMap((entry) =>
        entry.isDirectory() ? [entry.name] : [],
      );
    expect(folders('examples').sort()).toEqual([...PAGES, 'publishers'].sort());
    expect(folders('examples/publishers').sort()).toEqual(Object.keys(PUBLISHERS).sort());
    for (const example of [...PAGES, ...publishers])
      expect(readExample('README.md')).toContain(`[${example}](${example})`);
  });

  it.each([...PAGES, ...publishers])(
    '%s begins with a cluster, and has three commands at most',
    (example) => {
      const commands = printedIn(example, 'sh');
      expect(commands[0]).toBe('npm start');
      expect(commands.length).toBeLessThanOrEqual(3);
    },
  );

  it.each(['odds-board', 'scores'])('%s installs the SDK of this version', (example) => {
    const { dependencies } = JSON.parse(readExample(`${example}/package.json`));
    const ours = Object.keys(dependencies).filter((name) => name.startsWith('@weir/'));
    expect(ours).toContain('@weir/client');
    for (const name of ours) {
      const path = new URL(`${name.replace('@weir/', 'packages/')}/package.json`, root);
      expect(dependencies[name], name).toBe(JSON.parse(readFileSync(path, 'utf8')).version);
    }
  });
});

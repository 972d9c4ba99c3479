// Compares docs/config.md with the settings tables of the services: write-docs.mjs generates the page, and every
// variable has the meaning that the service prints for `--help`.
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { tableOf } from './markdown-table.ts';

const run = promisify(execFile);
const path = (relative: string): string => fileURLToPath(new URL(`../../${relative}`, import.meta.url));
const page = await readFile(path('docs/config.md'), 'utf8');

const columns = ['Variable', 'Default', 'Unit', 'Meaning'];
/** Variable and meaning of each row. */
const meanings = (heading: string): readonly (readonly [string, string])[] =>
  tableOf(page, heading, columns).map((row) => [row['Variable'] ?? '', row['Meaning'] ?? '']);

describe('docs/config.md', () => {
  it('and docs/metrics.md are as write-docs.mjs generates them', async () => {
    await expect(run(process.execPath, [path('scripts/write-docs.mjs'), '--check'])).resolves.toBeDefined();
  });

  it.each(['router', 'shard', 'publisher', 'control'])(
    'has every variable that %s knows, and no other',
    async (service) => {
      const { stdout } = await run(process.execPath, [
        path(`services/${service}/dist/bundle/main.js`),
        '--help',
      ]);
      const known = [...stdout.matchAll(/^ {2}(WEIR_\w+) \(.*\)\n {6}(.*)$/gm)].map(([, env, meaning]) => [
        env,
        meaning,
      ]);
      expect(known.length).toBeGreaterThan(20);
      // The name of the settings file is not a setting: the page describes it above the tables.
      expect(page).toContain('`WEIR_CONFIG_FILE`');
      const settings = known.filter(([env]) => env !== 'WEIR_CONFIG_FILE');
      const heading = `## ${service.charAt(0).toUpperCase()}${service.slice(1)}`;
      // A service may have its own default for a setting that all services have.
      const documented = new Map([...meanings('## Every service'), ...meanings(heading)]);
      expect([...documented].toSorted()).toEqual(settings.toSorted());
    },
  );
});

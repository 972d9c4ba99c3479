import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LoadOutcome } from './load-config.ts';
import { decideLoad } from './load-config.ts';
import { parse } from './parse.ts';
import type { SettingsTable } from './setting.ts';
import { settingsMarkdown } from './settings-text.ts';

const table = {
  nats: {
    env: 'WEIR_NATS_URL',
    parse: parse.list(parse.url('nats:')),
    default: ['nats://h'],
    meaning: 'NATS | servers',
  },
  key: { env: 'WEIR_KEY', parse: parse.text(), secret: true, meaning: 'Key' },
  other: { env: 'WEIR_OTHER', parse: parse.text(), optional: true, meaning: 'Other' },
  waitMs: {
    env: 'WEIR_WAIT_MS',
    parse: parse.durationMs({ min: 1, max: 1000 }),
    default: 10,
    unit: 'ms',
    meaning: 'Wait',
  },
  none: { env: 'WEIR_NONE', parse: parse.list(), default: [], meaning: 'Nothing' },
} satisfies SettingsTable;

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'weir-config-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function load(argv: readonly string[], env: Record<string, string> = {}): LoadOutcome<typeof table> {
  return decideLoad({ service: 'weir-test', summary: 'a test', table, argv, env });
}

describe('loadConfig', () => {
  it('returns a valid configuration', () => {
    expect(load([], { WEIR_KEY: 'k' })).toMatchObject({ config: { key: 'k', waitMs: 10 } });
  });

  it('prints the configuration without secrets', () => {
    const outcome = load(['--print-config'], {
      WEIR_KEY: 'hunter2',
      WEIR_NATS_URL: 'nats://u:hunter2@a,nats://b,nats://hunter2@[::1]:4222/p?token=hunter2,nats://c#hunter2',
    });
    expect(outcome).toMatchObject({ exitCode: 0 });
    const output = 'output' in outcome ? outcome.output : '';
    expect(JSON.parse(output)).toEqual({
      nats: ['nats://***@a', 'nats://b', 'nats://***@[::1]:4222/p?***', 'nats://c#***'],
      key: '***',
      other: null,
      waitMs: 10,
      none: [],
    });
    expect(output).not.toContain('hunter2');
  });

  it('checks, prints help and prints its version', () => {
    expect(load(['--check-config'], { WEIR_KEY: 'k' })).toMatchObject({ exitCode: 0 });
    expect(load(['--version'])).toEqual({ exitCode: 0, output: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) });
    const help = load(['--help']);
    for (const { env } of Object.values(table)) expect('output' in help && help.output).toContain(env);
  });

  it('refuses with exit code 2 and all problems', () => {
    expect(load(['--check-config'], { WEIR_WAIT_MS: '0' })).toEqual({
      exitCode: 2,
      output: expect.stringMatching(/2 problems.*WEIR_KEY is required.*WEIR_WAIT_MS must be/s),
    });
    for (const argv of [['--nonsense'], ['positional'], ['--config'], ['--help=1']]) {
      expect(load(argv, { WEIR_KEY: 'k' }), argv.join()).toMatchObject({ exitCode: 2 });
    }
  });

  it('reads a file, by flag or by variable', () => {
    const path = join(folder, 'config.json');
    writeFileSync(path, '{"key":"fromFile","waitMs":"500ms"}');
    expect(load(['--config', path])).toMatchObject({ config: { key: 'fromFile', waitMs: 500 } });
    expect(load([], { WEIR_CONFIG_FILE: path })).toMatchObject({ config: { key: 'fromFile' } });
  });

  it('reports a fault in a file without quoting it', () => {
    const path = join(folder, 'bad.json');
    writeFileSync(path, '{"key": hunter2}');
    const outcome = load(['--config', path]);
    expect(outcome).toMatchObject({ exitCode: 2, output: expect.stringContaining('not valid JSON') });
    expect(JSON.stringify(outcome)).not.toContain('hunter2');
    expect(load(['--config', join(folder, 'absent')])).toMatchObject({ exitCode: 2 });
    expect(load(['--config', folder])).toMatchObject({
      exitCode: 2,
      output: expect.stringContaining('it is a folder'),
    });
  });

  it('reads a file with a byte order mark, and refuses one that has a setting twice', () => {
    const path = join(folder, 'odd.json');
    writeFileSync(path, '\ufeff{"key":"a{\\"key\\":","none":["key"],"waitMs":5}');
    expect(load(['--config', path])).toMatchObject({ config: { key: 'a{"key":', waitMs: 5 } });
    writeFileSync(path, '{"key":"a","waitMs":5,"k\\u0065y" : "b"}');
    expect(load(['--config', path])).toMatchObject({
      exitCode: 2,
      output: expect.stringContaining('it has "key" twice'),
    });
  });

  it.skipIf(!existsSync('/dev/zero'))('reads no more of a device without an end than of a file', () => {
    expect(load(['--config', '/dev/zero'])).toMatchObject({
      exitCode: 2,
      output: expect.stringContaining('larger than 1048576 bytes'),
    });
  });
});

describe('settingsMarkdown', () => {
  it('has one row per setting', () => {
    expect(settingsMarkdown(table)).toBe(`| Variable | Default | Unit | Meaning |
|---|---|---|---|
| \`WEIR_NATS_URL\` | \`nats://h\` |  | NATS \\| servers |
| \`WEIR_KEY\` | required |  | Key |
| \`WEIR_OTHER\` | not set |  | Other |
| \`WEIR_WAIT_MS\` | \`10\` | ms | Wait |
| \`WEIR_NONE\` | none |  | Nothing |
`);
  });
});

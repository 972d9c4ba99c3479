// Holds deploy/ against the rest: each setting in it is one of its service, each secret comes from the environment file that
// its script makes, and NATS has the permissions of docs/publishing.md.
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { tableOf } from './markdown-table.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const read = (path: string): string => readFileSync(join(root, path), 'utf8');
const folder = mkdtempSync(join(tmpdir(), 'weir-deploy-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

type Variables = Readonly<Record<string, string | number | null>>;
interface ComposeService {
  readonly image: string;
  readonly environment?: Variables;
  readonly [key: string]: unknown;
}

const compose: { readonly services: Readonly<Record<string, ComposeService>> } = parse(
  read('deploy/compose/compose.yaml'),
  { merge: true },
);
const COLUMNS = ['Variable', 'Default', 'Unit', 'Meaning'];
const services = Object.entries(compose.services);
/** The settings of each service, as docs/config.md has them; config-doc.test.ts holds the page against the code. */
const known = new Map(
  ['router', 'shard', 'publisher', 'control'].map((service) => {
    const heading = `## ${service.charAt(0).toUpperCase()}${service.slice(1)}`;
    const rows = ['## Every service', heading].flatMap((one) =>
      tableOf(read('docs/config.md'), one, COLUMNS),
    );
    return [service, new Set(rows.map((row) => row['Variable'] ?? ''))] as const;
  }),
);

/** Name and value of each line of an environment file. */
const linesOf = (text: string): ReadonlyMap<string, string> =>
  new Map([...text.matchAll(/^([A-Z][A-Z_]*)=(.*)$/gm)].map(([, name = '', value = '']) => [name, value]));

describe('deploy/compose', () => {
  it.each(services)('%s sets only what its service knows', (_, { image, environment = {} }) => {
    const [, service = ''] = /\/(router|shard|publisher|control):/.exec(image) ?? [];
    const settings = known.get(service);
    const names = Object.keys(environment).filter((name) => name.startsWith('WEIR_'));
    const conf = read('deploy/compose/nats.conf');
    if (settings === undefined) expect(names.filter((name) => !conf.includes(`$${name}`))).toEqual([]);
    else expect(names.filter((name) => !settings.has(name))).toEqual([]);
  });

  it.each(services)('%s restarts, is checked, has a memory limit and rotated logs', (_, service) => {
    expect(service).toMatchObject({
      restart: 'unless-stopped',
      read_only: true,
      cap_drop: ['ALL'],
      healthcheck: { test: expect.any(Array) },
      mem_limit: expect.any(String),
      logging: { options: { 'max-size': expect.any(String), 'max-file': expect.any(String) } },
    });
  });

  it('takes every secret from .env, and .env has all that it needs', () => {
    cpSync(join(root, 'deploy/compose/make-env.sh'), join(folder, 'make-env.sh'));
    execFileSync(join(folder, 'make-env.sh'), ['weir.example.com'], { cwd: folder });
    const path = join(folder, '.env');
    expect(statSync(path).mode & 0o777).toBe(0o600);
    const made = linesOf(readFileSync(path, 'utf8'));
    const needed = [...read('deploy/compose/compose.yaml').matchAll(/\$\{([A-Z_]+):\?/g)].map(
      ([, name = '']) => name,
    );
    expect([...new Set(needed)].toSorted()).toEqual(
      [...made.keys()].filter((name) => name !== 'HTTPS_PORT').toSorted(),
    );
    const secrets = [...made]
      .filter(([name]) => /KEYS|PASSWORD|TOKEN/.test(name))
      .map(([, secret]) => secret);
    expect(new Set(secrets).size).toBe(8);
    for (const [name, { environment = {} }] of services)
      for (const [variable, value] of Object.entries(environment))
        if (/KEYS|PASSWORD|SECRET|TOKEN/.test(variable))
          expect([name, variable, value]).toEqual([
            name,
            variable,
            value === null ? null : expect.stringMatching(/^\$\{[A-Z_]+:\?run \.\/make-env\.sh\}$/),
          ]);
    const before = readFileSync(path, 'utf8');
    expect(spawnSync(join(folder, 'make-env.sh'), ['weir.example.com'], { cwd: folder }).status).toBe(1);
    for (const port of ['0', '65536', '1'.repeat(20), 'x', '-1'])
      expect(spawnSync(join(folder, 'make-env.sh'), ['weir.example.com', port], { cwd: folder }).status).toBe(
        2,
      );
    expect(readFileSync(path, 'utf8')).toBe(before);
  });

  it('has the images of this version, and those that `npm run images` makes', async () => {
    const names = await import(join(root, 'scripts/images/names.mjs'));
    const { version } = JSON.parse(read('package.json'));
    const text = read('deploy/compose/compose.yaml');
    expect(new Set([...text.matchAll(/WEIR_VERSION:-([^}]+)\}/g)].map(([, tag]) => tag))).toEqual(
      new Set([version]),
    );
    expect(text).toContain(`\${WEIR_REGISTRY:-${names.DEFAULT_REGISTRY}}`);
    expect(text).toContain(`\${NATS_IMAGE:-${names.NATS_IMAGE}-alpine}`);
    expect(text).toContain(`\${CADDY_IMAGE:-${names.CADDY_IMAGE}}`);
  });
});

describe('deploy/systemd', () => {
  const units = readdirSync(join(root, 'deploy/systemd')).filter((name) => name.endsWith('.service'));

  it('sets only what the services know, in the environment files too', () => {
    execFileSync(join(root, 'deploy/systemd/make-env.sh'), ['weir.example.com', join(folder, 'etc')]);
    const all = new Set([...known.values()].flatMap((names) => [...names]));
    for (const name of readdirSync(join(folder, 'etc')).filter((file) => file.endsWith('.env'))) {
      const path = join(folder, 'etc', name);
      expect([name, statSync(path).mode & 0o777]).toEqual([name, 0o600]);
      const variables = [...linesOf(readFileSync(path, 'utf8')).keys()];
      const conf = read('deploy/systemd/nats.conf');
      const strange = variables.filter((it) =>
        name === 'nats.env' ? !conf.includes(`$${it}`) : !all.has(it),
      );
      expect([name, strange]).toEqual([name, []]);
    }
    expect(spawnSync(join(root, 'deploy/systemd/make-env.sh'), ['x', join(folder, 'etc')]).status).toBe(1);
  });

  it.each(['router', 'publisher', 'control', 'shard'])('%s starts with these files', (service) => {
    const own = service === 'shard' ? ['shard.env', 'shard-desktop-1.env'] : [`${service}.env`];
    const files = ['weir.env', ...own].map((name) => readFileSync(join(folder, 'etc', name), 'utf8'));
    const env = {
      PATH: process.env['PATH'],
      ...Object.fromEntries(files.flatMap((text) => [...linesOf(text)])),
    };
    const main = join(root, `services/${service}/dist/bundle/main.js`);
    expect(execFileSync(process.execPath, [main, '--check-config'], { env, encoding: 'utf8' })).toContain(
      'is valid',
    );
  });

  const verifier = spawnSync('systemd-analyze', ['--version']).status === 0;
  it.skipIf(!verifier)(
    `has units that systemd accepts${verifier ? '' : ' (skipped: no systemd-analyze)'}`,
    () => {
      const path = join(folder, 'units');
      cpSync(join(root, 'deploy/systemd'), path, { recursive: true });
      // The programs need not be here.
      for (const unit of units) {
        const text = readFileSync(join(path, unit), 'utf8').replace(/^ExecStart=\S+/m, 'ExecStart=/bin/true');
        writeFileSync(join(path, unit), text);
      }
      const names = units.map((name) => join(path, name.replace('@.', '@desktop-1.')));
      const result = spawnSync(
        'systemd-analyze',
        ['verify', ...names.map((name) => basename(name)), 'weir.target'],
        {
          env: { ...process.env, SYSTEMD_UNIT_PATH: `${path}:` },
          encoding: 'utf8',
        },
      );
      expect([result.status, result.stderr]).toEqual([0, '']);
    },
  );
});

describe('NATS', () => {
  it.each(['compose', 'systemd'])('of deploy/%s has the permissions of docs/publishing.md', (kind) => {
    const [, printed = ''] = /```conf\n(.*?)```/s.exec(read('docs/publishing.md')) ?? [];
    expect(printed).toContain('authorization');
    expect(read(`deploy/${kind}/nats.conf`)).toContain(printed);
  });
});

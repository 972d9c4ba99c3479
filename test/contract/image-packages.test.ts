// Holds the bundle of a service, which is all that an image has, against the repository: no package is missing, and the
// access to the API server by a kubeconfig file works as it does with the packages.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const CERTIFICATE = Buffer.from('a certificate').toString('base64');

const USERS = {
  token: { token: 'secret' },
  certificate: { 'client-certificate-data': CERTIFICATE, 'client-key-data': CERTIFICATE },
  program: {
    exec: {
      apiVersion: 'client.authentication.k8s.io/v1',
      interactiveMode: 'Never',
      command: process.execPath,
      args: [
        '-e',
        "console.log(JSON.stringify({ apiVersion: 'client.authentication.k8s.io/v1', kind: 'ExecCredential', status: { token: 'of the program' } }))",
      ],
    },
  },
} as const;

const ACCESS = join(ROOT, 'packages/kubernetes/dist/access.js');
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'weir-image-packages-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** What the next request of each user would be made with, by this build of packages/kubernetes/src/access.ts. */
function accessOf(path: string): Readonly<Record<string, unknown>> {
  const files = Object.entries(USERS).map(([name, user]) => {
    const file = join(folder, `${name}.json`);
    const config = {
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [{ name: 'c', cluster: { server: 'https://api.example:6443/' } }],
      users: [{ name: 'u', user }],
      contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
      'current-context': 'x',
    };
    writeFileSync(file, JSON.stringify(config));
    return [name, file];
  });
  const program = `
    import { createAccess } from ${JSON.stringify(pathToFileURL(path).href)};
    const all = {};
    for (const [name, file] of JSON.parse(process.argv[1])) {
      const { server, options } = await createAccess({ kind: 'kubeconfig', file }).next();
      const { cert, key, headers } = options;
      all[name] = { server, cert: String(cert), key: String(key), headers };
    }
    console.log(JSON.stringify(all));`;
  const args = ['--input-type=module', '-e', program, JSON.stringify(files)];
  return JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8' }));
}

describe('an image', () => {
  it.each(['router', 'shard', 'publisher', 'control'])(
    'of the %s has its bundle and nothing else, and that runs alone',
    (service) => {
      const image = join(folder, service);
      execFileSync(process.execPath, [join(ROOT, 'scripts/images/copy-service.mjs'), service, image]);
      expect(readdirSync(image)).toEqual(['services']);
      const at = join(image, 'services', service);
      expect(readdirSync(at).toSorted()).toEqual(['dist', 'package.json']);
      expect(readFileSync(join(at, 'dist/bundle/LICENSES.txt'), 'utf8')).toMatch(/^pino [\d.]+ \(MIT\)$/m);
      const main = join(at, 'dist/bundle/main.js');
      const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
      const options = { encoding: 'utf8', cwd: image, env: {} } as const;
      expect(execFileSync(process.execPath, [main, '--version'], options).trim()).toBe(version);
    },
  );

  it('leaves out what no service reaches of the Kubernetes client', () => {
    const licences = readFileSync(join(ROOT, 'services/router/dist/bundle/LICENSES.txt'), 'utf8');
    expect(licences).toMatch(/^js-yaml [\d.]+ \(MIT\)$/m);
    expect(licences).not.toMatch(/^(tar-fs|stream-buffers|isomorphic-ws) /m);
  });

  describe('reads a kubeconfig as the packages do', () => {
    let bundled: Readonly<Record<string, unknown>>;
    let packages: Readonly<Record<string, unknown>>;

    beforeAll(async () => {
      const { BUNDLE_OPTIONS } = await import(
        new URL('../../scripts/bundle-service.mjs', import.meta.url).href
      );
      const outdir = join(folder, 'access');
      await build({ ...BUNDLE_OPTIONS, entryPoints: [ACCESS], outdir });
      bundled = accessOf(join(outdir, 'access.js'));
      packages = accessOf(ACCESS);
    });

    it.each(Object.keys(USERS))('with a %s', (user) => {
      expect(packages[user]).toMatchObject({ server: 'https://api.example:6443' });
      expect(bundled[user]).toEqual(packages[user]);
    });
  });
});

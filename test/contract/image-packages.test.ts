// In images, @kubernetes/client-node is one bundled file. Checks that it is enough for our code: access to the API
// server by a kubeconfig file works as in the repository.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
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

let folder: string;
let image: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'weir-image-packages-'));
  image = join(folder, 'app');
  execFileSync(process.execPath, [join(ROOT, 'scripts/images/copy-service.mjs'), 'router', image]);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The options of the next API request, from the build of packages/kubernetes below `root`. */
function access(root: string, user: keyof typeof USERS): unknown {
  const file = join(folder, `${user}.json`);
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'c', cluster: { server: 'https://api.example:6443/' } }],
    users: [{ name: 'u', user: USERS[user] }],
    contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
    'current-context': 'x',
  };
  writeFileSync(file, JSON.stringify(config));
  const module = pathToFileURL(join(root, 'node_modules/@weir/kubernetes/dist/access.js'));
  const program = `
    import { createAccess } from ${JSON.stringify(module.href)};
    const { server, options } = await createAccess({ kind: 'kubeconfig', file: process.argv[1] }).next();
    const { cert, key, headers } = options;
    console.log(JSON.stringify({ server, cert: String(cert), key: String(key), headers }));`;
  const args = ['--input-type=module', '-e', program, file];
  return JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8' }));
}

describe('an image', () => {
  it('has @kubernetes/client-node as one file, with the licences of its parts', () => {
    const at = join(image, 'node_modules/@kubernetes/client-node');
    expect(readdirSync(at).toSorted()).toEqual(['LICENSES.txt', 'index.js', 'package.json']);
    expect(readFileSync(join(at, 'LICENSES.txt'), 'utf8')).toMatch(/^js-yaml [\d.]+ \(MIT\)$/m);
    for (const name of ['js-yaml', 'openid-client', 'tar-fs'])
      expect(existsSync(join(image, 'node_modules', name))).toBe(false);
  });

  it.each(Object.keys(USERS) as (keyof typeof USERS)[])(
    'reads a kubeconfig with a %s as the repository does',
    (user) => {
      const wanted = access(ROOT, user);
      expect(wanted).toMatchObject({ server: 'https://api.example:6443' });
      expect(access(image, user)).toEqual(wanted);
    },
  );
});

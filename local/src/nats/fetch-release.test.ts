import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { MACHINES, type ReleaseOptions, startReleasePage, tarOf } from './fakes/release-page.ts';
import { archiveName, checksumOf, fetchRelease, type Machine } from './fetch-release.ts';
import { NATS_VERSION } from './pinned.ts';
import { fileOfTar } from './read-tar.ts';

let folder: string;
const script = 'echo ok';

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'weir-release-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function fetchFrom(options: ReleaseOptions, machine: Machine = { platform: 'linux', arch: 'x64' }) {
  const page = await startReleasePage(options);
  try {
    const env = { NATS_RELEASES_URL: page.url };
    const path = await fetchRelease({ folder, env, machine, signal: undefined });
    return { text: await readFile(path, 'utf8'), asked: page.asked };
  } finally {
    await page.close();
  }
}

describe('fetchRelease', () => {
  it.each(MACHINES)('gets the program for $platform on $arch', async (machine) => {
    const { text, asked } = await fetchFrom({ script }, machine);
    expect(text).toContain(`# ${machine.platform} ${machine.arch}`);
    expect(asked.filter((path) => path.startsWith('/v'))).toEqual([
      `/v${NATS_VERSION}/SHA256SUMS`,
      `/v${NATS_VERSION}/${archiveName(machine)}`,
    ]);
  });

  it("writes nothing if the checksum differs from the list's", async () => {
    await expect(fetchFrom({ script, sum: 'ab'.repeat(32) })).rejects.toThrow(
      /has the checksum [0-9a-f]{64}, but/,
    );
    expect(await readdir(folder)).toEqual([]);
  });

  it('writes nothing from an archive without the program', async () => {
    const archive = gzipSync(tarOf({ 'x/README.md': 'a' }));
    await expect(fetchFrom({ script, archive })).rejects.toThrow(/holds no nats-server/);
    expect(await readdir(folder)).toEqual([]);
  });

  it.each([
    { platform: 'win32', arch: 'x64' },
    { platform: 'linux', arch: 's390x' },
  ])('says that there is none for $platform on $arch', async (machine) => {
    await expect(fetchFrom({ script }, machine)).rejects.toThrow(`no archive for ${machine.platform} on`);
  });

  it('names the address and the answer in its error', async () => {
    const page = await startReleasePage({ script });
    const at = (url: string) =>
      fetchRelease({
        folder,
        env: { NATS_RELEASES_URL: url },
        machine: { platform: 'linux', arch: 'x64' },
        signal: undefined,
      });
    await expect(at(`${page.url}elsewhere`)).rejects.toThrow(
      /elsewhere\/v[\d.]+\/SHA256SUMS: it answers 404/,
    );
    await page.close();
    await expect(at(page.url)).rejects.toThrow(/SHA256SUMS: .*ECONNREFUSED/);
  });
});

describe('checksumOf', () => {
  const hex = 'A'.repeat(64);

  it('reads the line of one file', () => {
    const sums = `${'b'.repeat(64)}  a.tar.gz.sig\n${hex} *a.tar.gz\r\n`;
    expect(checksumOf(sums, 'a.tar.gz')).toBe('a'.repeat(64));
    expect(checksumOf(sums, 'tar.gz')).toBeUndefined();
  });

  it('returns undefined for text without a checksum', () => {
    expect(checksumOf('<html> a.tar.gz', 'a.tar.gz')).toBeUndefined();
    expect(checksumOf(`${hex.slice(1)}  a.tar.gz`, 'a.tar.gz')).toBeUndefined();
  });
});

describe('fileOfTar', () => {
  const tar = tarOf({ 'a/b': 'x'.repeat(600), 'a/nats-server': 'program' });

  it('finds a file by its name in any folder', () => {
    expect(fileOfTar(tar, 'nats-server')?.toString()).toBe('program');
    expect(fileOfTar(tar, 'a')).toBeUndefined();
  });

  it('returns undefined for a truncated file', () => {
    expect(
      fileOfTar(tarOf({ 'nats-server': 'y'.repeat(600) }).subarray(0, 1000), 'nats-server'),
    ).toBeUndefined();
    expect(fileOfTar(Buffer.from('no archive at all'.repeat(50)), 'nats-server')).toBeUndefined();
  });

  it('skips entries that are not plain files', () => {
    const link = tarOf({ 'nats-server': '' });
    link.write('2', 156);
    expect(fileOfTar(Buffer.concat([link.subarray(0, 512), tar]), 'nats-server')?.toString()).toBe('program');
  });
});

// A folder is claimed by one process, and one that cannot be claimed is an error, not an endless try.
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { claim, holderOf } from './claim.ts';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'weir-claim-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('a folder', () => {
  it('is made, claimed once, and free after its release', () => {
    const here = join(folder, 'a/b/c');
    const claimed = claim(here);
    expect(claimed).toMatchObject({ taken: true, stale: false });
    expect(claim(here)).toEqual({ taken: false, pid: process.pid });
    expect(holderOf(here)).toBe(process.pid);
    if (claimed.taken) claimed.release();
    expect(readdirSync(here)).toEqual([]);
  });

  it('that a killed process had claimed is free', () => {
    const here = join(folder, 'stale');
    mkdirSync(here);
    writeFileSync(join(here, 'supervisor.json'), '{"pid":1,"identity":"of an earlier process"}');
    expect(claim(here)).toMatchObject({ taken: true, stale: true });
  });

  it.skipIf(!existsSync('/proc/self'))('that cannot be made is an error', () => {
    expect(() => claim('/proc/weir/streams')).toThrow(/ENOENT|EACCES|EPERM/);
    writeFileSync(join(folder, 'file'), '');
    expect(() => claim(join(folder, 'file'))).toThrow('ENOTDIR');
    expect(() => claim(join(folder, 'file/below'))).toThrow('ENOTDIR');
  });

  it('whose claim cannot be read is an error', () => {
    const here = join(folder, 'odd');
    mkdirSync(join(here, 'supervisor.json'), { recursive: true });
    expect(() => claim(here)).toThrow('EISDIR');
  });
});

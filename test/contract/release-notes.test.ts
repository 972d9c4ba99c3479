// The start of a release: versions equal the tag, and the changelog has a section for it.
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const script = join(ROOT, 'scripts/release-notes.mjs');
const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));

describe('the notes of a release', () => {
  let copy: string;
  const said = (tag: string): string => spawnSync(process.execPath, [script, tag, copy]).stderr.toString();

  beforeAll(() => {
    copy = mkdtempSync(join(tmpdir(), 'weir-release-'));
    const manifests = ['packages', 'services'].flatMap((folder) =>
      readdirSync(join(ROOT, folder)).map((name) => `${folder}/${name}/package.json`),
    );
    for (const path of ['package.json', 'charts/weir/Chart.yaml', ...manifests]) {
      mkdirSync(dirname(join(copy, path)), { recursive: true });
      cpSync(join(ROOT, path), join(copy, path));
    }
    const changelog = `# Changelog\n\n## [Unreleased]\n\n- later\n\n## [${version}] - 2026-01-01\n\n- this\n\n## [0.0.1]\n`;
    writeFileSync(join(copy, 'CHANGELOG.md'), changelog);
  });
  afterAll(() => rmSync(copy, { recursive: true }));

  it('are the section of its version', () => {
    expect(execFileSync(process.execPath, [script, `v${version}`, copy]).toString()).toBe('- this\n');
  });

  it('are refused if any version differs from the tag, or if the section is empty', () => {
    const words = said('v0.0.1');
    for (const what of ['packages/client/package.json', 'services/shard/package.json'])
      expect(words).toContain(`${what} has version ${version}`);
    expect(words).toContain(`charts/weir/Chart.yaml has appVersion ${version}`);
    expect(words).toContain('says nothing under [0.0.1]');
  });

  it('are refused for a tag that is not a version', () => {
    expect(said('1.2')).toContain('a tag is v1.2.3');
  });
});

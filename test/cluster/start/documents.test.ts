// The README and the pages that build on it from top to bottom, as a reader follows them: every command, every program
// and every printed line, in order, in a clean copy of the project. Blocks that cannot run here are listed by name.

import { existsSync, readFileSync } from 'node:fs';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { delimiter, dirname, join } from 'node:path';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Block, blocksOf, patternOf } from '../../harness/programs/documents.ts';
import { copyProject, type ProjectCopy } from '../../harness/programs/project-copy.ts';
import { StartedProgram } from '../../harness/programs/started-program.ts';
import { until } from '../../harness/small-cluster.ts';

const ROOT = new URL('../../../', import.meta.url);
/** In this order, on one cluster. */
const FOLLOWED = [
  'README.md',
  'docs/guide.md',
  'docs/clients.md',
  'docs/publishing.md',
  'docs/node.md',
  'docs/raw-websocket.md',
  'docs/load.md',
  'docs/operations.md',
];
/** These need a Kubernetes cluster: test/lab/k8s covers them. */
const OF_KUBERNETES = /\b(kubectl|helm|kind)\b|npm run (images|check:chart|test:k8s)/;
/** These measure for minutes and need a quiet machine. */
const OF_THE_BENCH = /^npm run bench:/;
/** These harm a cluster on purpose and wait for minutes until an alert fires. */
const BY_A_PERSON = ['docs/runbook.md'];
/** Programs that other tests extract from the pages and run. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  'docs/raw-websocket.md js': 'test/cluster/clients/examples.test.ts',
  'docs/raw-websocket.md python': 'test/cluster/clients/examples.test.ts',
  'docs/clients.md ts': 'test/lab/packages/documented-apps.test.ts',
  'docs/vue.md': 'test/lab/packages/documented-apps.test.ts',
  'docs/svelte.md': 'test/lab/packages/documented-apps.test.ts',
  'docs/react-native.md': 'test/lab/packages/documented-apps.test.ts',
  'docs/one-host.md': 'test/lab/compose/one-host.test.ts',
  'docs/react.md': 'test/cluster/browser/react-board.test.ts',
  'docs/migrate': 'test/cluster/migrate/migrate.test.ts',
  'docs/publishing.md conf': 'test/cluster/publish/permissions.test.ts',
};
/** Long enough for a compiler's first run on a busy machine. */
const COMMAND_DEADLINE_MS = 100_000;
const CHROMIUM = process.env['WEIR_CHROMIUM'] ?? '/usr/bin/chromium';
/** The names that `npm start` prints for its usual ports. */
const USUAL = { page: 7700, router: 7701, publisher: 7702, nats: 7703, console: 7704 } as const;

async function read(page: string): Promise<readonly Block[]> {
  return blocksOf(page, await readFile(new URL(page, ROOT), 'utf8'));
}

const pages = [
  'README.md',
  'CONTRIBUTING.md',
  'SECURITY.md',
  ...(await readdir(new URL('docs', ROOT), { recursive: true }))
    .filter((name) => name.endsWith('.md') && !name.startsWith('api/')) // those are written by npm run docs
    .map((name) => `docs/${name}`),
];

describe('code in the documents', () => {
  it.each(pages)('of %s: each block is run, or has a reason why not', async (page) => {
    const unknown = (await read(page)).filter((block) => whoRuns(block) === undefined);
    expect(unknown.map(({ line, language }) => `${page}:${line} ${language}`)).toEqual([]);
  });
});

/** What runs or checks a block; undefined if nothing does. */
function whoRuns({ page, language, file, body }: Block): string | undefined {
  const elsewhere = ELSEWHERE[page] ?? ELSEWHERE[`${page} ${language}`] ?? ELSEWHERE[dirname(page)];
  if (elsewhere !== undefined && existsSync(new URL(elsewhere, ROOT))) return elsewhere;
  if (OF_THE_BENCH.test(body)) return 'a person who measures';
  if (BY_A_PERSON.includes(page)) return 'a person who tries an alert out';
  if (language === '') return /^\s*(\$ |npm |npx |curl )/m.test(body) ? undefined : 'a drawing';
  if (language === 'json') return isJson(body) ? 'read as JSON' : undefined;
  if (OF_KUBERNETES.test(body)) return 'test/lab/k8s';
  if (!FOLLOWED.includes(page)) return undefined;
  return language === 'sh' || language === 'text' || file !== undefined ? 'followed below' : undefined;
}

/** One value, or one a line. */
function isJson(text: string): boolean {
  const reads = (one: string): boolean => {
    try {
      JSON.parse(one);
      return true;
    } catch {
      return false;
    }
  };
  return reads(text) || text.trim().split('\n').every(reads);
}

describe('a person who follows the documents', () => {
  let copy: ProjectCopy;
  /** Programs that keep running, newest first. */
  const running: StartedProgram[] = [];
  /** Programs that printed, or still print, since the last `text` block. */
  let printing: StartedProgram[] = [];
  const skipped: string[] = [];
  let wasSkipped = false;
  /** The commands that go on running, as they are printed. */
  const started = new Set<string>();

  beforeAll(async () => {
    copy = await copyProject();
  }, 60_000);

  afterAll(async () => {
    for (const program of running) await program.end();
    await copy.remove();
    if (skipped.length > 0) console.log(`not run here: ${skipped.join(', ')}`);
  }, 60_000);

  /** If another cluster on this machine has the usual ports, replaces the printed ports by the actual ones. */
  function here(text: string): string {
    const path = join(copy.folder, '.weir/local.json');
    if (!existsSync(path)) return text;
    const local: Readonly<Record<string, string>> = JSON.parse(readFileSync(path, 'utf8'));
    return Object.entries(USUAL).reduce(
      (so, [name, port]) => so.replaceAll(`127.0.0.1:${port}`, new URL(local[name] ?? '').host),
      text,
    );
  }

  async function follow(block: Block): Promise<void> {
    const { language, file, stays, needs, body } = block;
    if (file !== undefined) return writeFile(join(copy.folder, file), here(body));
    if (language === 'text') return expectPrinted(body);
    if (language !== 'sh') return;
    if (started.has(body)) return; // a person whose cluster runs starts no second one
    printing = printing.filter((program) => running.includes(program));
    wasSkipped = needs !== undefined && !isOnPath(needs);
    if (wasSkipped) {
      skipped.push(`${block.page}:${block.line} (no ${needs})`);
      return;
    }
    const program = new StartedProgram(['bash', '-euo', 'pipefail', '-c', here(body)], copy.folder, {
      HOME: process.env['HOME'],
    });
    printing.push(program);
    if (stays === undefined) {
      const late = setTimeout(() => void program.end(), COMMAND_DEADLINE_MS);
      const code = await program.ended();
      clearTimeout(late);
      expect(code, `${program.text}\nits exit code`).toBe(0);
    } else {
      running.unshift(program);
      started.add(body);
      await program.line(new RegExp(`^${stays}`), 180_000);
    }
  }

  async function expectPrinted(body: string): Promise<void> {
    if (wasSkipped) return; // the output of skipped commands
    for (const line of body.trimEnd().split('\n')) {
      const pattern = patternOf(here(line));
      const there = (): boolean => printing.some((program) => program.lines.some((one) => pattern.test(one)));
      await until(there, `a line "${line}" in\n${printing.map(({ text }) => text).join('\n')}`);
    }
  }

  it.each(FOLLOWED)('finds that all of %s works as printed', { timeout: 300_000 }, async (page) => {
    for (const block of await read(page)) {
      try {
        await follow(block);
      } catch (error) {
        throw new Error(`${page}:${block.line}: ${error instanceof Error ? error.message : error}`, {
          cause: error,
        });
      }
    }
  });

  describe.skipIf(!existsSync(CHROMIUM))('has pages that a browser opens from their files', () => {
    let browser: Browser;

    beforeAll(async () => {
      browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox', '--disable-gpu'] });
    });
    afterAll(() => browser?.close());

    async function open(file: string): Promise<Page> {
      const page = await browser.newPage();
      await page.goto(`file://${join(copy.folder, file)}`);
      return page;
    }

    async function publish(message: Readonly<Record<string, unknown>>): Promise<void> {
      const headers = { 'content-type': 'application/json' };
      const body = JSON.stringify(message);
      await fetch(here('http://127.0.0.1:7702/v1/publish'), { method: 'POST', headers, body });
    }

    const shows = (page: Page, id: string, text: string): Promise<unknown> =>
      page.waitForFunction(`document.querySelector('#${id}').textContent.includes(${JSON.stringify(text)})`);

    it('of the README', async () => {
      const page = await open('my-page.html');
      await shows(page, 'odds', 'match-8');
      await publish({ lane: 'critical', channel: 'odds', data: { match: 'match-9', score: '0-1' } });
      await shows(page, 'goals', 'match-9: 0-1');
    });

    it('of the guide, which goes on after a reload', async () => {
      const page = await open('scoreboard.html');
      await shows(page, 'status', 'open (');
      await shows(page, 'scores', 'match-7: 1 – 0');
      await shows(page, 'goals', "12' home");
      await publish({ lane: 'critical', channel: 'scores', data: { minute: 30, team: 'away' } });
      await shows(page, 'goals', "30' away");
      await page.reload();
      await shows(page, 'scores', 'match-7: 1 – 0');
      await publish({ lane: 'critical', channel: 'scores', data: { minute: 44, team: 'home' } });
      await shows(page, 'goals', "44' home");
      expect(await page.textContent('#goals')).toBe("44' home");
    });
  });
});

function isOnPath(program: string): boolean {
  return (process.env['PATH'] ?? '').split(delimiter).some((folder) => existsSync(join(folder, program)));
}

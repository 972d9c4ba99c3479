// Every README of examples/ as a person follows it: `npm start` in a clean copy of the project, then its commands, then a
// look at the page, or at the lines that a publisher prints and at what a client gets. Skipped unless it is asked for: npm,
// pip and Go fetch what the examples need.
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Weir } from '@weir/client';
import { connect } from '@weir/client';
import type { Browser, Page } from 'playwright-core';
import { chromium } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePort } from '../../harness/free-port.ts';
import { PUBLISHERS, printedIn } from '../../harness/programs/example-readmes.ts';
import { copyProject, type ProjectCopy } from '../../harness/programs/project-copy.ts';
import { StartedProgram } from '../../harness/programs/started-program.ts';
import { until } from '../../harness/small-cluster.ts';
import { isWanted, minutes, why } from './wanted.ts';

const executablePath = process.env['WEIR_CHROMIUM'] ?? '/usr/bin/chromium';
const REPLAY = 'npx weir-publish replay examples/market.ndjson.gz --loop';

function isThere(program: string): boolean {
  try {
    execFileSync('sh', ['-c', `command -v ${program}`], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

describe.skipIf(!isWanted)(`a person who follows the examples${why}`, { timeout: 5 * minutes }, () => {
  let copy: ProjectCopy;
  let cluster: StartedProgram;
  let addresses: Readonly<Record<'router' | 'publisher' | 'nats', string>>;
  let weir: Weir;
  let browser: Browser;
  const goals: string[] = [];

  beforeAll(async () => {
    copy = await copyProject();
    cluster = new StartedProgram(['npm', 'start', '--', '--port', await freePort()], copy.folder, {
      HOME: process.env['HOME'],
    });
    await cluster.line(/^ready/, 3 * minutes);
    addresses = JSON.parse(readFileSync(join(copy.folder, '.weir/local.json'), 'utf8'));
    weir = connect({ url: addresses.router, channels: ['odds'] });
    weir.channel('odds').on('critical', ({ data }) => goals.push(JSON.stringify(data)));
    await until(() => weir.status === 'open', 'the client is served');
    browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu'] });
  }, 5 * minutes);
  afterAll(async () => {
    await browser?.close();
    weir?.close();
    await cluster?.end();
    await copy?.remove();
  }, 2 * minutes);

  const start = (command: string): StartedProgram =>
    new StartedProgram(['bash', '-euo', 'pipefail', '-c', command], copy.folder, {
      HOME: process.env['HOME'],
      NATS_URL: addresses.nats,
      WEIR_PUBLISHER: addresses.publisher,
    });

  /** Where a person would write the address of a cluster of her own. */
  function pointHere(file: string): void {
    const path = join(copy.folder, 'examples', file);
    const text = readFileSync(path, 'utf8');
    expect(text).toContain('ws://127.0.0.1:7701');
    writeFileSync(path, text.replace('ws://127.0.0.1:7701', addresses.router));
  }

  async function shows(url: string, key: string): Promise<void> {
    const page: Page = await browser.newPage();
    const complaints: string[] = [];
    page.on('console', (said) => {
      if (['error', 'warning'].includes(said.type())) complaints.push(said.text());
    });
    page.on('pageerror', (error) => complaints.push(String(error)));
    await page.goto(url);
    await page.waitForSelector(`[data-key="${key}"]`, { timeout: minutes });
    await page.waitForFunction(`document.querySelector('output').textContent === 'open'`);
    expect(complaints).toEqual([]);
    await page.close();
  }

  it.each([
    ['odds-board', 'src/main.tsx'],
    ['scores', 'src/feed.ts'],
  ])('sees %s', async (example, file) => {
    pointHere(`${example}/${file}`);
    const [, replay = '', develop = ''] = printedIn(example, 'sh');
    expect(replay).toBe(REPLAY);
    const playing = start(replay);
    // Another program may have Vite's usual port: it says which one it took.
    const developing = start(develop);
    try {
      const line = await developing.line(/Local:\s+http/, 3 * minutes);
      await shows(/http:\S+/.exec(line)?.[0] ?? '', 'match-7');
    } finally {
      await developing.end();
      await playing.end();
    }
  });

  it('sees lobby, a file of the disk', async () => {
    pointHere('lobby/lobby.js');
    for (const command of printedIn('lobby', 'sh').slice(1)) expect(await start(command).ended()).toBe(0);
    await shows(`file://${join(copy.folder, 'examples/lobby/index.html')}`, 'jackpot-1');
  });

  for (const [name, program] of Object.entries(PUBLISHERS)) {
    const missing = isThere(program) ? '' : ` (skipped: no ${program})`;
    it.skipIf(missing !== '')(`publishes in ${name}${missing}`, async () => {
      goals.length = 0;
      const before = weir.channel('odds').state.get('match-2');
      const [, ...commands] = printedIn(`publishers/${name}`, 'sh');
      const printed: string[] = [];
      for (const command of commands) {
        const program = start(command);
        expect(await program.ended(), program.text).toBe(0);
        printed.push(...program.lines);
      }
      for (const line of printedIn(`publishers/${name}`, 'text')) expect(printed).toContain(line);
      await until(() => goals.length > 0, 'the goal');
      expect(goals).toEqual([expect.stringMatching(/^\{"match":"match-[12]","score":"(1-0|0-1)"\}$/)]);
      await until(() => weir.channel('odds').state.get('match-2') !== before, 'the odds');
      expect(weir.channel('odds').state.get('match-2')).toMatchObject({
        home: expect.any(Number),
        draw: expect.any(Number),
        away: expect.any(Number),
        score: expect.stringMatching(/^[01]-[01]$/),
      });
    });
  }
});

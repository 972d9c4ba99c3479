// The first page of `npm start` in Chromium: slow lines are slow, each button does what it says, the numbers are those of
// /metrics, and axe finds nothing. Skipped by name where there is no Chromium.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import axe from 'axe-core';
import type { Browser, Page } from 'playwright-core';
import { chromium } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type FrameCosts, type FrameWork, frameCosts, frameWork } from '../../harness/page-frames.ts';
import { copyProject, type ProjectCopy } from '../../harness/programs/project-copy.ts';
import { StartedProgram } from '../../harness/programs/started-program.ts';
import { isExhaustive, onlyInCi, sample, seen } from '../../harness/scale.ts';
import { until } from '../../harness/small-cluster.ts';

const executablePath = process.env['WEIR_CHROMIUM'] ?? '/usr/bin/chromium';
const isThere = existsSync(executablePath);
const flags = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run'];
const PATIENCE_MS = 90_000;
/** Frames over which their costs are compared: some seconds. */
const FRAMES = 150;

/** Texts that reach out of their device, and teams that reach into the odds beside them. */
const cutOff = `[...document.querySelectorAll('.device')].flatMap((device) => {
  const right = device.getBoundingClientRect().right + 1;
  const endOf = (node) => {
    const range = document.createRange();
    range.selectNodeContents(node);
    return range.getBoundingClientRect().right;
  };
  const outside = [...device.querySelectorAll('*')].filter((one) => one.getBoundingClientRect().right > right);
  const under = [...device.querySelectorAll('.market li')].flatMap((row) => {
    const odds = [...row.querySelectorAll('.odds')].find((one) => one.getClientRects().length > 0);
    const left = (odds?.getBoundingClientRect().left ?? Infinity) + 1;
    return [...row.querySelectorAll('.side *')].filter((one) => endOf(one) > left);
  });
  return [...outside, ...under].map((one) => one.className + ': ' + one.textContent);
})`;

interface LocalFile {
  readonly page: string;
  readonly console: string;
  readonly services: readonly { readonly id: string; readonly name: string; readonly admin: string }[];
}

describe.skipIf(!isThere)(`the first page${isThere ? '' : ` (skipped: no ${executablePath})`}`, () => {
  let copy: ProjectCopy;
  let cluster: StartedProgram;
  let browser: Browser;
  let page: Page;
  let local: LocalFile;
  const complaints: string[] = [];

  beforeAll(async () => {
    copy = await copyProject();
    cluster = new StartedProgram(['npm', 'start', '--', '--port', '0'], copy.folder);
    await cluster.line(/^ready/, 120_000);
    local = JSON.parse(readFileSync(join(copy.folder, '.weir/local.json'), 'utf8'));
    browser = await chromium.launch({ executablePath, args: flags });
    page = await opened({ width: 1_440, height: 900 });
  }, 180_000);
  afterAll(async () => {
    await browser?.close();
    await cluster?.end();
    await copy?.remove();
  });

  async function opened(viewport: { width: number; height: number }, dark = false): Promise<Page> {
    const made = await browser.newPage({ viewport, colorScheme: dark ? 'dark' : 'light' });
    made.on('console', (message) => complaints.push(message.text()));
    made.on('pageerror', (error) => complaints.push(String(error)));
    await made.goto(local.page);
    return made;
  }
  const text = (selector: string): Promise<string> =>
    page.locator(selector).first().textContent().then(String);
  const fact = (device: string, name: string): Promise<string> =>
    text(`[data-device=${device}] .fact-${name} dd`);
  const ageMs = async (device: string): Promise<number> => {
    const [, number = 'NaN', unit] = /([\d.]+)\s(m?s)/.exec(await text(`[data-device=${device}] .age`)) ?? [];
    return Number(number) * (unit === 's' ? 1_000 : 1);
  };
  const eventually = (holds: () => Promise<boolean>, what: string): Promise<void> =>
    until(holds, what, PATIENCE_MS);

  /** Presses a button and answers what the page says that happened. */
  async function outcomeOf(action: string): Promise<string> {
    // Not `textContent`, which waits: on a busy machine it would find nothing in time, and the old line would be new.
    const newest = async (): Promise<string> =>
      (await page.locator('#outcomes li').allTextContents())[0] ?? '';
    const before = await newest();
    await eventually(
      async () => (await page.locator(`[data-action=${action}]`).getAttribute('aria-disabled')) !== 'true',
      'no other button is at work',
    );
    await page.click(`[data-action=${action}]`);
    await eventually(async () => ![before, ''].includes(await newest()), `${action} is over`);
    return text('#outcomes li:first-child');
  }

  it('shows one feed on four networks: those of Weir stay new, the naive one grows old', async () => {
    expect(await page.locator('#console').getAttribute('href')).toContain(local.console);
    expect(await text('.claim')).toMatch(/newest value that its network can carry/);
    await eventually(async () => (await ageMs('naive')) > 6_000, 'the naive one falls behind');
    for (const device of ['fibre', 'phone', 'hotel'])
      expect(await ageMs(device)).toBeLessThan(await ageMs('naive'));
    await eventually(async () => (await fact('fibre', 'pool')).startsWith('desktop'), 'fibre is fast');
    for (const device of ['phone', 'hotel']) expect(await fact(device, 'pool')).toMatch(/^mobile, 1.Hz$/);
    expect(await fact('naive', 'undelivered')).toMatch(/KB|MB/);
    expect(Number((await fact('hotel', 'skipped')).replaceAll(',', ''))).toBeGreaterThan(0);
    expect(complaints).toEqual([]);
  });

  it('has the numbers of /metrics', async () => {
    await eventually(async () => {
      const shown = await text('#map-text');
      const counts = await Promise.all(
        local.services
          .filter(({ name }) => name === 'shard')
          .map(async ({ id, admin }) => `${id} ${await connectionsOf(admin)}`),
      );
      return counts.every((count) => shown.includes(count));
    }, 'the clients of each shard');
  });

  const viewports = [
    { width: 1_440, height: 900, dark: false },
    { width: 1_440, height: 900, dark: true },
    { width: 390, height: 844, dark: false },
    { width: 390, height: 844, dark: true },
    { width: 320, height: 568, dark: false },
  ];
  it.each(sample(viewports, 3))(
    'is accessible at $width px, dark: $dark, and scrolls one way',
    async ({ dark, ...viewport }) => {
      const other = await opened(viewport, dark);
      await until(async () => (await other.locator('.market li').count()) > 20, 'the boards are filled');
      await until(async () => (await other.locator('.pots li').count()) === 4, 'the lobby is there');
      await other.evaluate(axe.source);
      const { violations } = await other.evaluate<{
        violations: { id: string; nodes: { html: string }[] }[];
      }>('axe.run()');
      expect(violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)])).toEqual([]);
      expect(await other.evaluate('document.documentElement.scrollWidth <= innerWidth')).toBe(true);
      expect(await other.evaluate(cutOff)).toEqual([]);
      expect(complaints).toEqual([]);
      await other.close();
    },
  );

  it('cuts nothing off in a device and draws no text over another, down to 280 px', async () => {
    const other = await opened({ width: 280, height: 800 });
    const told = other.locator('[data-device=fibre] .fact-measured dd');
    await eventually(async () => /\sms, .*bit/.test(String(await told.textContent())), 'it is measured');
    for (const width of [280, 320, 360, 388, 390, 412, 600, 1_160]) {
      await other.setViewportSize({ width, height: 800 });
      expect(await other.evaluate(cutOff), `${width} px`).toEqual([]);
    }
    await other.close();
  });

  it('promotes a device whose network becomes fast, and demotes one whose network becomes slow', async () => {
    await page.selectOption('#line-phone', 'lte');
    await page.selectOption('#line-fibre', 'hotel');
    await eventually(async () => (await fact('phone', 'pool')).startsWith('desktop'), 'it is promoted');
    await eventually(async () => (await fact('fibre', 'pool')).startsWith('mobile'), 'it is demoted');
    await page.selectOption('#line-phone', 'weak-lte');
    await page.selectOption('#line-fibre', 'fibre');
  });

  it('shows a publication to a channel of the visitor, from its form and from its curl line', async () => {
    await page.click('#publish button');
    await eventually(async () => (await text('#state')).includes('"hello":"world"'), 'the value');
    expect(await text('#published')).toMatch(/^Kept as number \d+ of WEIR_STATE\.$/);
    expect(await text('#frames')).toContain('"greeting":{"hello":"world"}');
    await page.fill('#data', '{"hello":"curl"}');
    execFileSync('sh', ['-c', await text('#snippets pre')], { stdio: 'ignore' });
    await eventually(async () => (await text('#state')).includes('"hello":"curl"'), 'the value of curl');
  });

  it('draws the lobby with money in two decimals, and plays the recording', async () => {
    for (const amount of await page.locator('.pots strong').allInnerTexts())
      expect(amount).toMatch(/^€[\d,]+\.\d\d$/);
    await page.locator('[data-action=replay]').scrollIntoViewIfNeeded();
    await eventually(async () => (await page.locator('.matches li').count()) === 2, 'both matches');
  });

  it('publishes a goal that each device of Weir gets once', async () => {
    const outcome = await outcomeOf('goal');
    expect(outcome).toMatch(/Goal \d+ was published\. Desktop on fibre: \d+/);
  });

  it('publishes a burst, of which Weir sends the newest values', async () => {
    expect(await outcomeOf('burst')).toMatch(/6,\d{3} updates .* Your 3 devices: 0 critical lost/);
  });

  it('adds 500 clients, whose dots cost a frame little, and sends them away', async () => {
    const clients = async (): Promise<number> => Number.parseInt(await text('#map-text'), 10);
    const frames = async (): Promise<{ readonly costs: FrameCosts; readonly work: FrameWork }> => {
      await page.locator('#map').scrollIntoViewIfNeeded();
      return { costs: await frameCosts(browser, page, FRAMES), work: await frameWork(page, FRAMES) };
    };
    const without = await frames();
    await page.click('[data-action=crowd]');
    await eventually(async () => (await clients()) >= 500, 'they are there');
    const withThem = await frames();
    expect(await clients()).toBeGreaterThanOrEqual(500);
    seen('the first page, 500 dots', {
      'frames a second': FRAMES / (sumOf(withThem.costs.intervalsMs) / 1_000),
      'ms of a frame, without': without.costs.callbackMs,
      'ms of a frame': withThem.costs.callbackMs,
    });
    // Few calls for each dot, and nothing else that grows with them: neither the document nor its layouts. Processor time
    // is that of the page's thread, in the same run, so a busy machine makes both frames longer; it is 1.2 times.
    const calls = ({ work }: typeof without): number => sumOf(Object.values(work.drawn));
    expect(calls(withThem) - calls(without)).toBeLessThan(4 * 500 + 100);
    expect(withThem.work.changesPerSecond).toBeLessThan(2 * without.work.changesPerSecond + 100);
    expect(withThem.costs.layouts).toBeLessThan(2 * without.costs.layouts + 1);
    expect(withThem.costs.callbackMs).toBeLessThan(5 * without.costs.callbackMs);
    await outcomeOf('crowd');
    await eventually(async () => (await clients()) < 50, 'they have left');
  });

  it('drains a shard, and kills one, with nothing lost', async () => {
    expect(await outcomeOf('drain')).toMatch(/was asked to stop .* Your 3 devices: 0 critical lost/);
    expect(await outcomeOf('kill')).toMatch(/was killed .* Your 3 devices: 0 critical lost/);
  });

  it.skipIf(!isExhaustive)(
    `stops NATS for a while, and cuts the network of all devices${onlyInCi}`,
    async () => {
      expect(await outcomeOf('nats')).toMatch(/NATS was away .* Your 3 devices: 0 critical lost/);
      expect(await outcomeOf('cut')).toMatch(/Nothing got through .* Your 3 devices: 0 critical lost/);
    },
  );
});

function sumOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}

async function connectionsOf(admin: string): Promise<string> {
  const metrics = await (await fetch(`${admin}/metrics`)).text();
  return /^weir_shard_connections (\d+)$/m.exec(metrics)?.[1] ?? 'none';
}

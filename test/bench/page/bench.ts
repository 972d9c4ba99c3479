// `npm run bench:page`: how smoothly the first page draws, without and with 500 more clients on its map. Measured in
// Chromium on the machine that also runs the whole cluster, so other work shows.
import { parseArgs } from 'node:util';
import type { Page } from 'playwright-core';
import { chromium } from 'playwright-core';
import { type FrameCosts, frameCosts, frameWork } from '../../harness/page-frames.ts';

const USAGE = `npm run bench:page -- [options]
  --seconds N      how long each half is measured (default 10)
  --width N        of the window (default 1440; its height is 900)
  --help           this text`;

const CHROMIUM = process.env['WEIR_CHROMIUM'] ?? '/usr/bin/chromium';
const FRAMES_A_SECOND = 60;
const COUNTED_FRAMES = 60;
/** How the words of the map begin without and with the crowd. */
const FEW = /^\d{1,2} clients/;
const MANY = /^[5-9]\d\d clients/;
const PATIENCE_MS = 60_000;

export async function benchPage(url: string, args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      seconds: { type: 'string', default: '10' },
      width: { type: 'string', default: '1440' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return console.log(USAGE);
  const frames = Number(values.seconds) * FRAMES_A_SECOND;
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] });
  try {
    const page = await browser.newPage({ viewport: { width: Number(values.width), height: 900 } });
    await page.goto(url);
    await page.locator('#map').scrollIntoViewIfNeeded();
    await page.locator('.market li').nth(20).waitFor();
    await mapSays(page, FEW);
    say('without', await frameCosts(browser, page, frames), await dots(page));
    const without = await frameWork(page, COUNTED_FRAMES);
    await page.click('[data-action=crowd]');
    await mapSays(page, MANY);
    await page.locator('#map').scrollIntoViewIfNeeded();
    say('with', await frameCosts(browser, page, frames), await dots(page));
    const withThem = await frameWork(page, COUNTED_FRAMES);
    await page.click('[data-action=crowd]');
    console.log(`drawing calls a frame: ${all(without.drawn)} and ${all(withThem.drawn)}`);
    console.log(
      `changes of the document a second: ${Math.round(without.changesPerSecond)} and ${Math.round(withThem.changesPerSecond)}`,
    );
  } finally {
    await browser.close();
  }
}

async function mapSays(page: Page, clients: RegExp): Promise<void> {
  await page.locator('#map-text', { hasText: clients }).waitFor({ timeout: PATIENCE_MS });
}

async function dots(page: Page): Promise<number> {
  return Number.parseInt(String(await page.locator('#map-text').textContent()), 10);
}

function say(which: string, { intervalsMs, callbackMs, layouts }: FrameCosts, clients: number): void {
  const sorted = intervalsMs.toSorted((a, b) => a - b);
  const at = (part: number): string => (sorted[Math.floor((sorted.length - 1) * part)] ?? 0).toFixed(1);
  const seconds = intervalsMs.reduce((sum, one) => sum + one, 0) / 1_000;
  const fps = (intervalsMs.length / seconds).toFixed(1);
  console.log(
    `${which} 500 more (${clients} clients): ${fps} frames/s, ${at(0.5)} ms from one to the next, p99 ${at(0.99)} ms, longest ${at(1)} ms; ` +
      `${callbackMs.toFixed(2)} ms of processor time and ${layouts.toFixed(2)} layouts a frame`,
  );
}

function all(calls: Readonly<Record<string, number>>): number {
  return Math.round(Object.values(calls).reduce((sum, one) => sum + one, 0));
}

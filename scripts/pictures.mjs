// `npm run pictures`: two stills of the running page for README, in docs/pictures. Starts a cluster of its own on free
// ports if none runs from here.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { chromium } from 'playwright-core';
import { command, ROOT, setUp } from './set-up.mjs';

const CHROMIUM = process.env['WEIR_CHROMIUM'] ?? '/usr/bin/chromium';
const LOCAL_FILE = `${ROOT}.weir/local.json`;
const WIDTH = 1_440;
const QUALITY = 82;
const MAX_BYTES = 200_000;
/** The naive client is half a minute behind then. */
const FALL_BEHIND_MS = 40_000;
const CROWD_ARRIVES_MS = 20_000;

await command(async () => {
  await setUp();
  const started = existsSync(LOCAL_FILE) ? undefined : await start();
  try {
    await take(JSON.parse(readFileSync(LOCAL_FILE, 'utf8')).page);
  } finally {
    if (started !== undefined) {
      started.kill('SIGTERM');
      await once(started, 'exit');
    }
  }
});

async function start() {
  const args = [`${ROOT}local/dist/main.js`, '--port', '0'];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  for await (const line of createInterface({ input: child.stdout })) if (line.startsWith('ready')) break;
  child.stdout.resume();
  return child;
}

async function take(url) {
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] });
  try {
    const page = await browser.newPage({ viewport: { width: WIDTH, height: 860 } });
    await page.goto(url);
    await page.waitForTimeout(FALL_BEHIND_MS);
    await still(page, 'four-networks', { x: 0, y: 0, width: WIDTH, height: await bottomOf(page, '#lines') });
    await page.click('[data-action=crowd]');
    await page.waitForTimeout(CROWD_ARRIVES_MS);
    await page.locator('#cluster').scrollIntoViewIfNeeded();
    await page.waitForTimeout(2_000);
    const { x, y, width, height } = await page.locator('#cluster').boundingBox();
    const scrolled = await page.evaluate('scrollY');
    await still(page, 'map', { x: x - 12, y: y + scrolled - 12, width: width + 24, height: height + 24 });
    await page.click('[data-action=crowd]');
  } finally {
    await browser.close();
  }
}

async function bottomOf(page, selector) {
  const { y, height } = await page.locator(selector).boundingBox();
  return Math.ceil(y + height);
}

/** As WebP, which Playwright has no option for. */
async function still(page, name, clip) {
  const session = await page.context().newCDPSession(page);
  const { data } = await session.send('Page.captureScreenshot', {
    format: 'webp',
    quality: QUALITY,
    clip: { ...clip, scale: 1 },
    captureBeyondViewport: true,
  });
  const file = `${ROOT}docs/pictures/${name}.webp`;
  writeFileSync(file, Buffer.from(data, 'base64'));
  const { size } = statSync(file);
  if (size > MAX_BYTES) throw new Error(`${file} has ${size} bytes, more than ${MAX_BYTES}`);
  console.log(`${file}: ${size} bytes`);
}

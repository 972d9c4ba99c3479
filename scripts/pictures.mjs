// `npm run pictures`: stills of the running page and of the console for README, in docs/pictures. Starts a cluster of its
// own on free ports if none runs from here.
import { statSync, writeFileSync } from 'node:fs';
import { chromium } from 'playwright-core';
import { withCluster } from './local-cluster.mjs';
import { command, ROOT, setUp } from './set-up.mjs';

const CHROMIUM = process.env['WEIR_CHROMIUM'] ?? '/usr/bin/chromium';
const WIDTH = 1_440;
const QUALITY = 82;
const MAX_BYTES = 200_000;
/** The naive client is half a minute behind then. */
const FALL_BEHIND_MS = 40_000;
const CROWD_ARRIVES_MS = 20_000;

await command(async () => {
  await setUp();
  await withCluster(take);
});

async function take({ page: url, console: explains }) {
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
    await stillOfConsole(browser, explains);
    await page.click('[data-action=crowd]');
  } finally {
    await browser.close();
  }
}

/** The overview, with the clients of the map. */
async function stillOfConsole(browser, url) {
  const page = await browser.newPage({ viewport: { width: WIDTH, height: 900 } });
  await page.goto(url);
  await page.locator('#pools tbody tr').first().waitFor();
  await page.waitForTimeout(2_000);
  const bottom = await bottomOf(page, '#overview-charts');
  await still(page, 'console', { x: 0, y: 0, width: WIDTH, height: bottom + 12 });
  await page.close();
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

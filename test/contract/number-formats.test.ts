// The first page of `npm start` and the console stand side by side: a number looks the same on both.
import { expect, it } from 'vitest';

type Format = (value: number) => string;

async function formats(path: string): Promise<Readonly<Record<string, Format>>> {
  return await import(new URL(`../../${path}`, import.meta.url).href);
}

const VALUES = [
  0, 0.4, 7, 8.46, 9.96, 42, 99.94, 99.96, 999, 1_000, 1_234, 9_999, 12_345, 174_800, 1_250_000, 9e6,
];

it.each([
  ['count', 'count'],
  ['bytes', 'bytes'],
  ['duration', 'milliseconds'],
  ['rate', 'kilobits'],
])('%s of the page is %s of the console', async (ofPage, ofConsole) => {
  const page = (await formats('local/page/show.js'))[ofPage];
  const console = (await formats('services/control/page/text.js'))[ofConsole];
  expect(VALUES.map((value) => page?.(value))).toEqual(VALUES.map((value) => console?.(value)));
});

// The one place that knows how large the cases of the reports are run: in seconds with `npm test`, and as they were
// reported with `npm run test:cases`, which also says what was seen.

const isFull = process.env['WEIR_TEST_SCALE'] === 'full';

/** One of the two: the first with `npm test`, the second with `npm run test:cases`. */
export function scale<T>(small: T, full: T): T {
  return isFull ? full : small;
}

/** Says at full scale what was seen in a case, on one line. */
export function seen(which: string, what: Readonly<Record<string, number | string>>): void {
  if (!isFull) return;
  const parts = Object.entries(what).map(([name, value]) => `${name} ${rounded(value)}`);
  process.stdout.write(`seen in case ${which}: ${parts.join(', ')}\n`);
}

function rounded(value: number | string): string {
  return typeof value === 'string' ? value : String(Math.round(value * 100) / 100);
}

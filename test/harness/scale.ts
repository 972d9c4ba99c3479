// The one place that knows how large the cases of the reports are run: in seconds with `npm test`, and as they were
// reported with `npm run test:cases`, which also says what was seen. And how much of a long list is tried.

const isFull = process.env['WEIR_TEST_SCALE'] === 'full';
const isExhaustive = isFull || process.env['WEIR_TEST_EXHAUSTIVE'] === 'true';

/** One of the two: the first with `npm test`, the second with `npm run test:cases`. */
export function scale<T>(small: T, full: T): T {
  return isFull ? full : small;
}

/** One of the two: the first with `npm test`, the second in `.ci/run` and with `npm run test:cases`. */
function exhaustive<T>(some: T, all: T): T {
  return isExhaustive ? all : some;
}

/** Every nth of a list whose entries are all tried in the same way, the first included; all of them in `.ci/run`. */
export function sample<T>(all: readonly T[], nth: number): readonly T[] {
  return exhaustive(
    all.filter((_, i) => i % nth === 0),
    all,
  );
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

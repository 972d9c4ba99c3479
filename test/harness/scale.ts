// The only place that decides how large tests run: seconds with `npm test`, and full scale with `npm run test:cases`,
// which also prints what each case saw. Also decides how much of a long list is tried.

/** With `npm run test:cases`. */
export const isFull: boolean = process.env['WEIR_TEST_SCALE'] === 'full';
/** In `.ci/run`, and with `npm run test:cases`. */
export const isExhaustive: boolean = isFull || process.env['WEIR_TEST_EXHAUSTIVE'] === 'true';

/** `small` with `npm test`, `full` with `npm run test:cases`. */
export function scale<T>(small: T, full: T): T {
  return isFull ? full : small;
}

/** `some` with `npm test`, `all` in `.ci/run` and with `npm run test:cases`. */
function exhaustive<T>(some: T, all: T): T {
  return isExhaustive ? all : some;
}

/** Every nth entry of a list of similar inputs, from the first; all of them in `.ci/run`. */
export function sample<T>(all: readonly T[], nth: number): readonly T[] {
  return exhaustive(
    all.filter((_, i) => i % nth === 0),
    all,
  );
}

/** For the titles of long tests that only `.ci/run` tries: `it.skipIf(!isExhaustive)(`…${onlyInCi}`)`. */
export const onlyInCi: string = isExhaustive ? '' : ' (skipped: only in .ci/run)';

/** At full scale, prints on one line what a case saw. */
export function seen(which: string, what: Readonly<Record<string, number | string>>): void {
  if (!isFull) return;
  const parts = Object.entries(what).map(([name, value]) => `${name} ${rounded(value)}`);
  process.stdout.write(`seen in case ${which}: ${parts.join(', ')}\n`);
}

function rounded(value: number | string): string {
  return typeof value === 'string' ? value : String(Math.round(value * 100) / 100);
}

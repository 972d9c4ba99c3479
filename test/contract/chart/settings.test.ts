// Every setting that Helm accepts, the service accepts too: otherwise pods would crash in a loop.
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sample } from '../../harness/scale.ts';
import { configProblems, environment, isBuilt } from './environment.ts';
import { helms, render, root } from './render.ts';

interface Row {
  readonly kind: 'int' | 'number' | 'quantity';
  readonly range: { readonly min: number; readonly max: number };
  readonly units?: Readonly<Record<string, number>>;
}

const rows: Readonly<Record<string, Readonly<Record<string, Row>>>> = JSON.parse(
  readFileSync(`${root}charts/weir/files/settings.json`, 'utf8'),
);

/** A value at an end of the range, just outside it, or inside; as a number or as text with a unit. */
const value = ({ kind, range: { min, max }, units = {} }: Row): fc.Arbitrary<number | string> => {
  const number = fc.oneof(
    fc.constantFrom(min, max, min - 1, max + 1),
    fc.integer({ min: Math.ceil(min), max }),
  );
  const unit = fc.constantFrom('', ...Object.keys(units));
  const text = fc
    .tuple(number, unit)
    .map(([n, u]) => `${units[u] === undefined ? n : Math.ceil(n / units[u])}${u}`);
  return kind === 'number' ? number : fc.oneof(number, text);
};

/** At most two settings of a service: with more, one would nearly always be out of its range. */
const given = (service: string): fc.Arbitrary<readonly [string, Readonly<Record<string, number | string>>]> =>
  fc
    .subarray(Object.entries(rows[service] ?? {}), { minLength: 1, maxLength: 2 })
    .chain((chosen) => fc.record(Object.fromEntries(chosen.map(([name, row]) => [name, value(row)]))))
    .map((settings) => [service, settings]);

const SERVICES = ['router', 'publisher', 'control', 'shard'] as const;

describe.skipIf(helms.length === 0 || !isBuilt('shard'))(
  'settings that Helm takes are settings that the service takes (skipped: helm is not on the PATH)',
  () => {
    it.each(SERVICES)(
      'each of the %s alone, at both ends of its range',
      (service) => {
        const some = sample(Object.entries(rows[service] ?? {}), 4);
        const alone = some.flatMap(([name, { range }]) => [{ [name]: range.min }, { [name]: range.max }]);
        const taken = alone.filter((settings) => isTaken(service, settings));
        expect(taken.length).toBeGreaterThan(alone.length / 2);
      },
      180_000,
    );

    it('two at a time, in their ranges and out of them, with units', () => {
      fc.assert(
        fc.property(fc.constantFrom(...SERVICES).chain(given), ([service, settings]) => {
          isTaken(service, settings);
        }),
        { numRuns: 20 },
      );
    });
  },
);

/** Whether Helm accepts the settings; fails if the service then refuses them. */
function isTaken(service: string, settings: Readonly<Record<string, number | string>>): boolean {
  const { objects, refusal } = render(
    service === 'shard' ? { pools: { desktop: { settings } } } : { [service]: { settings } },
  );
  expect(refusal).not.toMatch(/nil pointer|runtime error|%!/);
  if (refusal !== '') return false;
  const [container] = objects
    .filter(({ kind, name }) => kind === 'Deployment' && (service !== 'shard' || /desktop/.test(name)))
    .flatMap(({ podSpec }) => podSpec?.list('containers') ?? [])
    .filter((one) => one.at('name') === service);
  expect(container && configProblems(service, environment(container)), JSON.stringify(settings)).toBe('');
  return true;
}

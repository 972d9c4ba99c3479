// Whatever settings Helm takes, the services take: no value is refused only by a pod that ends again and again.
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
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

/** A value at an end of the range, one beyond it, or one between; as a number or as a text with a unit. */
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

/** One or two of a service's settings: of more, one would nearly always be out of its range. */
const given = (service: string): fc.Arbitrary<readonly [string, Readonly<Record<string, number | string>>]> =>
  fc
    .subarray(Object.entries(rows[service] ?? {}), { minLength: 1, maxLength: 2 })
    .chain((chosen) => fc.record(Object.fromEntries(chosen.map(([name, row]) => [name, value(row)]))))
    .map((settings) => [service, settings]);

describe.skipIf(helms.length === 0 || !isBuilt('shard'))(
  'settings (skipped where helm is not on the PATH)',
  () => {
    it('that Helm takes are settings that the service takes', () => {
      const services = fc.constantFrom('router', 'publisher', 'control', 'shard');
      fc.assert(
        fc.property(services.chain(given), ([service, settings]) => {
          const at = service === 'shard' ? { pools: { desktop: { settings } } } : { [service]: { settings } };
          const { objects, refusal } = render(at);
          expect(refusal).not.toMatch(/nil pointer|runtime error|%!/);
          if (refusal !== '') return;
          const [container] = objects
            .filter(
              ({ kind, name }) => kind === 'Deployment' && (service !== 'shard' || /desktop/.test(name)),
            )
            .flatMap(({ podSpec }) => podSpec?.list('containers') ?? [])
            .filter((one) => one.at('name') === service);
          expect(container && configProblems(service, environment(container))).toBe('');
        }),
        { numRuns: 40 },
      );
    }, 120_000);
  },
);

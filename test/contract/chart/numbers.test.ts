// Numbers in values arrive unchanged from every source: `--set` yields integers, YAML and JSON files yield float64,
// which `quote` writes as 8.388608e+06.
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { sample } from '../../harness/scale.ts';
import type { Rendering } from './render.ts';
import { helms, render, root } from './render.ts';

const WAYS = ['set', 'yaml', 'json'] as const;
const LARGE = [1_048_576, 8_388_608];
const OTHERS = [8_388_608, 0.25, Number.MAX_SAFE_INTEGER];
const chartValues: unknown = parse(readFileSync(`${root}charts/weir/values.yaml`, 'utf8'));

interface Row {
  readonly kind: string;
  readonly range: { readonly min: number; readonly max: number };
}

const rows: Readonly<Record<string, Readonly<Record<string, Row>>>> = JSON.parse(
  readFileSync(`${root}charts/weir/files/settings.json`, 'utf8'),
);
/** The shard requires each of these to be less than another setting. */
const BOUND = /^WEIR_(SOFT_BYTES|MAX_MESSAGE_BYTES|PROMOTION_RTT_MS|MOVE_BACKOFF_MS)$/;

describe.skipIf(helms.length === 0)('numbers of charts/weir (skipped: helm is not on the PATH)', () => {
  it.each(LARGE.flatMap((number) => WAYS.map((by) => ({ number, by }))))(
    'reach every setting that takes $number, given by $by',
    ({ number, by }) => {
      const settings = (service: string): Readonly<Record<string, number>> =>
        Object.fromEntries(
          Object.entries(rows[service] ?? {})
            .filter(([name, { range }]) => !BOUND.test(name) && range.min <= number && number <= range.max)
            .map(([name]) => [name, number]),
        );
      const shard = settings('shard');
      const router = settings('router');
      const publisher = settings('publisher');
      const control = settings('control');
      expect(Object.keys({ ...shard, ...router, ...publisher }).length).toBeGreaterThan(15);
      const values = {
        poolDefaults: { settings: shard },
        pools: { mobile: { settings: shard } },
        router: { settings: router },
        publisher: { settings: publisher },
        ...(Object.keys(control).length === 0 ? {} : { control: { settings: control } }),
      };
      const rendering = render(values, { by });
      expect(rendering.refusal).toBe('');
      for (const [service, wanted] of Object.entries({ shard, router, publisher, control }))
        for (const env of environments(rendering, service))
          expect(env).toMatchObject(
            Object.fromEntries(Object.entries(wanted).map(([name, value]) => [name, String(value)])),
          );
    },
  );

  it.each(sample(numericLeaves(chartValues, []), 5).map((path) => path.join('.')))(
    'are the same by every way, or refused by every way: %s',
    (path) => {
      for (const number of OTHERS) {
        const values = path.split('.').reduceRight<unknown>((inner, key) => ({ [key]: inner }), number);
        const [byYaml, ...others] = WAYS.toReversed().map((by) => render(values, { by }));
        if (byYaml === undefined) throw new Error('nothing was rendered');
        for (const other of others) {
          expect(manifests(other)).toEqual(manifests(byYaml));
          expect(other.refusal === '').toBe(byYaml.refusal === '');
        }
        expect(JSON.stringify(manifests(byYaml))).not.toMatch(/\d[.0-9]*e[+-]?\d\d/);
        expect(byYaml.refusal).not.toMatch(/%!|nil pointer|runtime error/);
      }
    },
  );

  it.each([
    ['router', 'WEIR_CONNECTS_PER_SECOND_PER_ADDRESS', 0.25, '0.25'],
    ['router', 'WEIR_CONNECT_BURST_PER_ADDRESS', 1e6, '1000000'],
    ['router', 'WEIR_PROBE_BYTES_PER_SECOND', '8388608', '8388608'],
    ['router', 'WEIR_PROBE_BYTES_PER_SECOND', '8MB', '8MB'],
    ['router', 'WEIR_REQUIRE_ORIGIN', true, 'true'],
    ['publisher', 'WEIR_MAX_BODY_BYTES', 1e8, '100000000'],
  ])('of %s.settings.%s: %j is %s', (service, name, value, text) => {
    for (const by of ['yaml', 'json'] as const) {
      const rendering = render({ [service]: { settings: { [name]: value } } }, { by });
      expect(rendering.refusal).toBe('');
      expect(environments(rendering, service)).toEqual([expect.objectContaining({ [name]: text })]);
    }
  });

  it('written with an exponent by --set are refused, since no service accepts them', () => {
    const values = { publisher: { settings: { WEIR_MAX_BODY_BYTES: '1e6' } } };
    expect(render(values, { by: 'set' }).refusal).toMatch(/publisher.settings.WEIR_MAX_BODY_BYTES/);
  });

  it('of memory and storage count in the rules, also in bytes', () => {
    const limits = (memory: number): unknown => ({
      pools: { desktop: { resources: { limits: { memory } } } },
    });
    expect(render(limits(8_589_934_592)).refusal).toBe('');
    expect(render(limits(1_073_741_824)).refusal).toMatch(/memory \(1073741824\) does not hold 4000 clients/);
    expect(render({ nats: { storage: 8_589_934_592 } }).refusal).toBe('');
    expect(render({ nats: { storage: 1_073_741_824 } }).refusal).toMatch(
      /nats.storage \(1073741824\) does not hold/,
    );
  });
});

/** The plain variables of every workload of a service. */
function environments({ objects }: Rendering, service: string): readonly Readonly<Record<string, unknown>>[] {
  return objects.flatMap((object) =>
    (object.podSpec?.list('containers') ?? [])
      .filter((container) => container.at('name') === service)
      .map((container) =>
        Object.fromEntries(container.list('env').map((one) => [one.text('name'), one.at('value')])),
      ),
  );
}

/** Without Secrets: generated keys differ in each rendering. */
function manifests({ objects }: Rendering): readonly unknown[] {
  return objects.filter(({ kind }) => kind !== 'Secret').map(({ whole }) => whole);
}

function numericLeaves(value: unknown, path: readonly string[]): readonly (readonly string[])[] {
  if (typeof value === 'number') return [path];
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [];
  return Object.entries(value).flatMap(([key, inner]) => numericLeaves(inner, [...path, key]));
}

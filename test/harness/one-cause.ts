// The oracle of counts: the formulas in the section "Invariants" of docs/metrics.md hold in every live process.
// A formula is `series` = `series` + `series`, or with ≤ for =; a series may name label values.
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { Service } from './small-cluster.ts';

export interface Formula {
  readonly text: string;
  readonly left: readonly string[];
  readonly relation: '=' | '≤';
  readonly right: readonly string[];
}

const SUM = '`weir_[^`]+`(?: \\+ `weir_[^`]+`)*';
const FORMULA = new RegExp(`(${SUM}) (=|≤) (${SUM})`, 'g');
/** The numbers of one scrape are not of the same moment, and some are from the last sweep. */
const DEADLINE_MS = 10_000;
const EVERY_MS = 100;

/** The formulas of a page. */
export function formulasOf(page: string): readonly Formula[] {
  const section = page.slice(Math.max(0, page.indexOf('## Invariants')));
  return [...section.matchAll(FORMULA)].map(([text, left = '', relation, right = '']) => ({
    text,
    left: seriesOf(left),
    relation: relation === '=' ? '=' : '≤',
    right: seriesOf(right),
  }));
}

function seriesOf(sum: string): readonly string[] {
  return sum.split(' + ').map((one) => one.slice(1, -1));
}

/** The formulas that do not hold in this text of /metrics, with their numbers; other services' formulas are skipped. */
export function broken(formulas: readonly Formula[], metrics: string): readonly string[] {
  const lines = metrics.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return formulas.flatMap(({ text, left, relation, right }) => {
    if (!isOfService(left, lines)) return [];
    const [a, b] = [sum(left, lines), sum(right, lines)];
    if (a === undefined || b === undefined) return [`${text}: a series is not there`];
    return (relation === '=' ? a === b : a <= b) ? [] : [`${text}: ${a} and ${b}`];
  });
}

/** Whether the lines are of the formula's service: all series of a shard begin with `weir_shard_`. */
function isOfService([first = '']: readonly string[], lines: readonly string[]): boolean {
  const [prefix] = /^weir_[a-z]+_/.exec(first) ?? [];
  return prefix !== undefined && lines.some((line) => line.startsWith(prefix));
}

/** Undefined if one of the series is missing. */
function sum(series: readonly string[], lines: readonly string[]): number | undefined {
  let total = 0;
  for (const one of series) {
    const [name = '', labels = ''] = one.replace(/\}$/, '').split('{');
    const wanted = labels === '' ? [] : labels.split(',');
    const found = lines.filter(
      (line) =>
        /^[{ ]/.test(line.slice(name.length)) &&
        line.startsWith(name) &&
        wanted.every((label) => line.includes(label)),
    );
    if (found.length === 0) return undefined;
    for (const line of found) total += Number(line.slice(line.lastIndexOf(' ') + 1));
  }
  return total;
}

const formulas = formulasOf(readFileSync(new URL('../../docs/metrics.md', import.meta.url), 'utf8'));

/** The formulas of docs/metrics.md that do not hold in this text of /metrics. */
export function brokenInvariants(metrics: string): readonly string[] {
  return broken(formulas, metrics);
}

/** Fails if a formula does not come to hold in one of these processes; a process that has ended is skipped. */
export async function expectOneCause(services: readonly Service[]): Promise<void> {
  const faults = await Promise.all(services.map(faultsOf));
  const all = faults.flat();
  if (all.length > 0) throw new Error(`counts do not add up:\n${all.join('\n')}`);
}

async function faultsOf(service: Service): Promise<readonly string[]> {
  const endMs = performance.now() + DEADLINE_MS;
  for (;;) {
    const metrics = await scrape(service);
    if (metrics === undefined) return [];
    const faults = brokenInvariants(metrics);
    if (faults.length === 0) return [];
    if (performance.now() > endMs) return faults.map((fault) => `${service.name} ${service.url}: ${fault}`);
    await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
  }
}

/** Undefined for a process that has ended or is ending: it closes its admin port a moment before it ends. */
async function scrape({ admin, process }: Service): Promise<string | undefined> {
  try {
    return await (await fetch(`${admin}/metrics`, { signal: AbortSignal.timeout(DEADLINE_MS) })).text();
  } catch (error) {
    if (await ends(process)) return undefined;
    throw error;
  }
}

async function ends(child: ChildProcess): Promise<boolean> {
  if (child.exitCode !== null || child.signalCode !== null) return true;
  const exit = once(child, 'exit', { signal: AbortSignal.timeout(DEADLINE_MS) });
  return exit.then(
    () => true,
    () => false,
  );
}

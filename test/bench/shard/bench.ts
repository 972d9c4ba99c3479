// `npm run bench:shard`: runs scenarios, prints a table for each and whether its goals are met, and writes JSON.
// Exit code 0: all goals are met; 1: a goal is missed or a scenario failed; 2: wrong usage.
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import type { Outcome, Scenario, Size } from './scenario.ts';
import { scenarios } from './scenarios.ts';

const USAGE = `npm run bench:shard -- [options]
  --scenarios A,B  only these scenarios (default all)
  --clients N      clients per server (intake-cost: number of intakes)
  --seconds N      seconds of each measured window, or of the whole run of a scenario that watches memory
  --rounds N       rounds of a scenario that compares servers
  --quick          small and short: shows that all scenarios run; goals are not judged
  --json FILE      write all numbers, including those over time
  --profile DIR    write CPU profiles of the measured servers (which costs a few per cent)
  --help           print this text

Scenarios, and the size for which their goals are valid:
${Object.entries(scenarios)
  .map(([name, { about, full }]) => `  ${name.padEnd(14)} ${about}\n  ${''.padEnd(14)} ${saidSize(full)}`)
  .join('\n')}`;

interface Wish {
  readonly names: readonly string[];
  readonly size: Partial<Size>;
  readonly quick: boolean;
  readonly json: string | undefined;
  readonly profile: string | undefined;
}

// Exit at once: after thousands of reset connections, Node 20 was seen to spin endlessly in its clean-up.
process.exit(await main(process.argv.slice(2)));

async function main(args: readonly string[]): Promise<number> {
  const wish = wishOf(args);
  if (wish === 'help') {
    console.log(USAGE);
    return 0;
  }
  if (typeof wish === 'string') {
    console.error(`${wish}\n\n${USAGE}`);
    return 2;
  }
  if (wish.profile !== undefined) {
    mkdirSync(wish.profile, { recursive: true });
    process.env['BENCH_PROFILE'] = resolve(wish.profile);
  }
  const results: Record<string, unknown> = {};
  const where = { node: process.version, cpus: cpus().length, cpu: cpus()[0]?.model ?? '', commit: commit() };
  let missed = 0;
  for (const name of wish.names) {
    const scenario = scenarios[name];
    if (scenario === undefined) continue;
    const size = { ...(wish.quick ? scenario.quick : scenario.full), ...wish.size };
    const began = new Date().toISOString();
    const outcome = await run(name, scenario, size);
    results[name] = { ...size, began, ended: new Date().toISOString(), ...outcome };
    if ('failed' in outcome) missed++;
    else if (!wish.quick) missed += outcome.goals.filter(({ met }) => !met).length;
    if (wish.json !== undefined)
      writeFileSync(wish.json, `${JSON.stringify({ ...where, scenarios: results }, undefined, 2)}\n`);
  }
  console.log(saidEnd(missed, wish.quick));
  return missed === 0 ? 0 : 1;
}

async function run(name: string, scenario: Scenario, size: Size): Promise<Outcome | { failed: string }> {
  console.log(`\n${name}: ${scenario.about} (${saidSize(size)})`);
  const startMs = performance.now();
  const say = (line: string): void =>
    console.error(`  ${String(Math.round((performance.now() - startMs) / 1000)).padStart(4)} s  ${line}`);
  try {
    const outcome = await scenario.run({ ...size, say });
    console.table(outcome.rows);
    for (const { what, value, bound, limit, met } of outcome.goals)
      console.log(`  ${met ? 'met   ' : 'MISSED'}  ${what}: ${value} (${bound} ${limit})`);
    return outcome;
  } catch (error) {
    console.error(error);
    return { failed: String(error) };
  }
}

function saidEnd(missed: number, quick: boolean): string {
  if (missed > 0) return quick ? `\n${missed} scenarios failed` : `\n${missed} goals are missed`;
  return quick ? '\nall scenarios ran; goals are not judged with --quick' : '\nall goals are met';
}

/** The options, or a sentence about a wrong one. */
function wishOf(args: readonly string[]): Wish | 'help' | string {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        scenarios: { type: 'string', default: Object.keys(scenarios).join(',') },
        clients: { type: 'string' },
        seconds: { type: 'string' },
        rounds: { type: 'string' },
        quick: { type: 'boolean', default: false },
        json: { type: 'string' },
        profile: { type: 'string' },
        help: { type: 'boolean', default: false },
      },
    });
    if (values.help) return 'help';
    const names = values.scenarios.split(',');
    const unknown = names.find((name) => scenarios[name] === undefined);
    if (unknown !== undefined) return `there is no scenario ${unknown}`;
    const size: Partial<Record<keyof Size, number>> = {};
    for (const flag of ['clients', 'seconds', 'rounds'] as const) {
      const text = values[flag];
      if (text === undefined) continue;
      if (!/^[1-9][0-9]*$/.test(text)) return `--${flag} must be a positive whole number, not ${text}`;
      size[flag] = Number(text);
    }
    const { quick, json, profile } = values;
    return { names, size, quick, json, profile };
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function saidSize({ clients, seconds, rounds }: Size): string {
  return `${clients} clients, ${seconds} s${rounds > 1 ? `, ${rounds} rounds` : ''}`;
}

function commit(): string {
  try {
    return execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8', stdio: 'pipe' }).trim();
  } catch {
    return '';
  }
}

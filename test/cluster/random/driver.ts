// Runs sequences until the time is over, and prints the outcome of each. The first that fails is shortened, saved and
// reported.
import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runSequence } from './run-sequence.ts';
import type { Action } from './sequence.ts';
import { sequence } from './sequence.ts';
import { shrink } from './shrink.ts';

export interface DriverOptions {
  readonly seed: number;
  readonly forMs: number;
  /** Number of actions in a sequence. */
  readonly actions: number;
  /** Number of runs for shortening a failing sequence. */
  readonly tries: number;
  /** Names of actions to leave out, because they are known to fail. */
  readonly without: readonly string[];
  /** A saved sequence to run instead. */
  readonly replay?: string;
}

/** Reads the options that `npm run test:random` passes; missing options have the values of `npm test`. */
export function driverOptions(json: string | undefined): DriverOptions {
  const given: Partial<DriverOptions> = JSON.parse(json ?? '{}');
  return { seed: 1, forMs: 60_000, actions: 120, tries: 4, without: [], ...given };
}

/** Fails with the seed, the faults, and the file of the shortest sequence. */
export async function drive(options: DriverOptions): Promise<void> {
  const { seed, forMs, actions, replay, without } = options;
  if (replay !== undefined) {
    const saved: { readonly seed: number; readonly actions: readonly Action[] } = JSON.parse(
      await readFile(replay, 'utf8'),
    );
    return one(saved.seed, saved.actions, { ...options, tries: 0 });
  }
  const endMs = performance.now() + forMs;
  for (let next = seed; performance.now() < endMs; next++) {
    const some = sequence(next, actions).filter(({ what }) => !without.includes(what));
    await one(next, some, options);
  }
}

async function one(seed: number, actions: readonly Action[], options: DriverOptions): Promise<void> {
  const outcome = await runSequence(whole(actions));
  const { done, clients, faults } = outcome;
  const what = faults.length === 0 ? 'sound' : `FAILED: ${faults[0]}`;
  process.stdout.write(`seed ${seed}: ${done} actions, ${clients} clients, ${what}\n`);
  if (faults.length === 0) return;
  const fails = async (some: readonly Action[]): Promise<boolean> => {
    const again = await runSequence(whole(some));
    process.stdout.write(`  ${some.length} actions of it: ${again.faults[0] ?? 'sound'}\n`);
    return again.faults.length > 0;
  };
  const shortest = await shrink(actions.slice(0, done), fails, options.tries);
  throw new Error(await report({ seed, actions: shortest, faults }));
}

/** Ends with a quiet point, which does most of the checks. */
function whole(actions: readonly Action[]): readonly Action[] {
  if (actions.at(-1)?.what === 'quiet') return actions;
  return [...actions, { what: 'quiet', afterMs: 0, which: 0, channel: 0, size: 0 }];
}

interface Failure {
  readonly seed: number;
  readonly actions: readonly Action[];
  readonly faults: readonly string[];
}

async function report({ seed, actions, faults }: Failure): Promise<string> {
  const file = join(await mkdtemp(join(tmpdir(), 'weir-random-')), `seed-${seed}.json`);
  await writeFile(file, `${JSON.stringify({ seed, actions, faults }, undefined, 1)}\n`);
  return [
    `seed ${seed} fails:`,
    ...faults.slice(0, 20).map((fault) => `  ${fault}`),
    `the shortest sequence that was seen to fail has ${actions.length} actions:`,
    ...actions.map(
      ({ what, afterMs, which, channel, size }) => `  +${afterMs} ms ${what} ${which} ${channel} ${size}`,
    ),
    `again: npm run test:random -- --replay ${file}`,
  ].join('\n');
}

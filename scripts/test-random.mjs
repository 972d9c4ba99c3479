// `npm run test:random`: random sequences against a real cluster for as long as the caller says; the tests are
// test/cluster/random.

import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { command, runTool, setUp } from './set-up.mjs';

const HELP = `npm run test:random -- [options]

Runs random sequences of actions of clients, publishers and the cluster. It checks that clients end with the contents of
the streams, that nothing goes back, and that the counts of all processes add up. Each sequence is a function of its
seed. The first sequence that fails is shortened, saved and printed.

  --minutes N    start new sequences for this time (default 10)
  --seed S       seed of the first sequence; each further sequence has the next seed (default: random)
  --actions N    actions per sequence (default 120)
  --tries N      maximum runs to shorten a failing sequence (default 16)
  --without A,B  leave these actions out, for example known failures
  --replay FILE  run a saved sequence once instead
  --help         print this text
`;

await command(async () => {
  const { values } = parseArgs({
    options: {
      minutes: { type: 'string', default: '10' },
      seed: { type: 'string', default: String(Math.floor(Math.random() * 1e6)) },
      actions: { type: 'string', default: '120' },
      tries: { type: 'string', default: '16' },
      without: { type: 'string', default: '' },
      replay: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(HELP);
    return;
  }
  const options = {
    seed: positive('seed', values.seed),
    forMs: positive('minutes', values.minutes) * 60_000,
    actions: positive('actions', values.actions),
    tries: positive('tries', values.tries),
    without: values.without.split(','),
    ...(values.replay === undefined ? {} : { replay: resolve(values.replay) }),
  };
  await setUp();
  process.exitCode = await runTool(
    'vitest',
    ['run', 'test/cluster/random/random.test.ts', '--project', 'cluster', '--disableConsoleIntercept'],
    { env: { ...process.env, WEIR_TEST_RANDOM: JSON.stringify(options) } },
  );
});

function positive(name, text) {
  const value = Number(text);
  if (value >= 0 && text.trim() !== '') return value;
  console.error(`--${name} needs a number, not ${text}`);
  process.exit(1);
}

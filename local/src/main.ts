// The process of `npm start`: arguments and exit code. Everything else begins in local.ts.
import { readFileSync } from 'node:fs';
import { parseArguments } from './arguments.ts';
import { runLocal } from './local.ts';

const options = parseArguments(process.argv.slice(2));
if (options.run) {
  process.exit(await runLocal(options));
} else if ('help' in options) {
  // scripts/start.mjs prints it too, before anything is installed
  process.stdout.write(readFileSync(new URL('../help.txt', import.meta.url)));
} else {
  process.stderr.write(`${options.problem} (npm start -- --help shows how)\n`);
  process.exitCode = 2;
}

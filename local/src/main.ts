// The process of `npm start`: arguments and exit code. Everything else begins in local.ts.
import { readFileSync } from 'node:fs';
import { parseArguments } from './arguments.ts';
import { runLocal } from './local.ts';

const options = parseArguments(process.argv.slice(2));
if (options.run) {
  process.exit(await runLocal(options));
} else if ('help' in options) {
  process.stdout.write(help());
} else {
  process.stderr.write(`${options.problem}\n\n${help()}`);
  process.exitCode = 2;
}

/** Also printed by scripts/start.mjs, before anything is installed. */
function help(): string {
  return readFileSync(new URL('../help.txt', import.meta.url), 'utf8');
}

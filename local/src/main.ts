// The process of `npm start`: arguments and exit code. Everything else begins in local.ts.
import { HELP, parseArguments } from './arguments.ts';
import { runLocal } from './local.ts';

const options = parseArguments(process.argv.slice(2));
if (options.run) {
  process.exit(await runLocal(options));
} else if ('help' in options) {
  process.stdout.write(HELP);
} else {
  process.stderr.write(`${options.problem}\n\n${HELP}`);
  process.exitCode = 2;
}

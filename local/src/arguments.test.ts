import { expect, it } from 'vitest';
import { parseArguments } from './arguments.ts';

it.each([
  [['--prot', '1'], "Unknown option '--prot'"],
  [['extra'], "Unexpected argument 'extra'"],
  [['--port', '7.5'], '--port must be a number from 0 to 65535, not 7.5'],
  [['--port', '-1'], '--port needs a value that does not begin with a dash'],
  [['--keep='], '--keep needs a folder'],
])('%j is a problem of one sentence', (argv, problem) => {
  expect(parseArguments(argv)).toEqual({ run: false, problem });
});

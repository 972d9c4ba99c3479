// Parses the command line of `npm start`. Never prints and never exits.
import { parseArgs } from 'node:util';

export type Arguments =
  | {
      readonly run: true;
      readonly port: number | undefined;
      readonly demo: boolean;
      /** As typed. */
      readonly keep: string | undefined;
    }
  | { readonly run: false; readonly help: true }
  | { readonly run: false; readonly problem: string };

const MAX_PORT = 65_535;
const OPTIONS = {
  port: { type: 'string' },
  keep: { type: 'string' },
  'no-demo': { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const;

/** Reads the arguments; a wrong one becomes a problem, as a sentence. */
export function parseArguments(argv: readonly string[]): Arguments {
  let values: ReturnType<typeof parseArgs<{ options: typeof OPTIONS }>>['values'];
  try {
    ({ values } = parseArgs({ args: [...argv], options: OPTIONS }));
  } catch (error) {
    const [problem = ''] = (error instanceof Error ? error.message : String(error)).split(/[.;\n]/);
    // Node says no more than this in its first sentence.
    const ambiguous = /^Option '(--[\w-]+)' argument is ambiguous$/.exec(problem)?.[1];
    if (ambiguous === undefined) return { run: false, problem };
    return { run: false, problem: `${ambiguous} needs a value that does not begin with a dash` };
  }
  const { keep, 'no-demo': silent, help, port: text } = values;
  if (help === true) return { run: false, help: true };
  if (keep === '') return { run: false, problem: '--keep needs a folder' };
  const port = text === undefined ? undefined : portOf(text);
  if (port !== undefined && !(port <= MAX_PORT)) {
    return { run: false, problem: `--port must be a number from 0 to ${MAX_PORT}, not ${text}` };
  }
  return { run: true, port, demo: silent !== true, keep };
}

function portOf(text: string): number {
  return /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
}

// Owns the command line of `npm start`. Never prints and never exits: it answers what was asked for.
import { parseArgs } from 'node:util';

export type Arguments =
  | { readonly run: true; readonly port: number | undefined; readonly demo: boolean }
  | { readonly run: false; readonly help: true }
  | { readonly run: false; readonly problem: string };

export const HELP = `Starts the whole cluster on this machine: a NATS server, a router, two desktop shards, one mobile shard,
a publisher with a demo feed, and a page that shows the feed. Ctrl-C stops all of it.

  npm start -- [options]

  --port PORT   the page's port (default: 7700, or a free one where that is taken; 0 takes a free one)
  --no-demo     publish nothing: the channels are yours
  --help        this text

  NATS_URL      use this NATS server (JetStream on) in place of one of our own, e.g. nats://127.0.0.1:4222

While it runs, .weir/local.json says where everything is.
`;

const MAX_PORT = 65_535;

/** Reads the arguments; what is not understood is a problem in words. */
export function parseArguments(argv: readonly string[]): Arguments {
  let values: { readonly port?: string; readonly 'no-demo'?: boolean; readonly help?: boolean };
  try {
    ({ values } = parseArgs({
      args: [...argv],
      options: {
        port: { type: 'string' },
        'no-demo': { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    }));
  } catch (error) {
    return { run: false, problem: error instanceof Error ? error.message : String(error) };
  }
  if (values.help === true) return { run: false, help: true };
  const demo = values['no-demo'] !== true;
  if (values.port === undefined) return { run: true, port: undefined, demo };
  const port = /^\d{1,5}$/.test(values.port) ? Number(values.port) : Number.NaN;
  if (!(port <= MAX_PORT)) {
    return { run: false, problem: `--port must be a number from 0 to ${MAX_PORT}, not ${values.port}` };
  }
  return { run: true, port, demo };
}

// `npm run top`: the shards of a cluster, once a second, from the console of its control. Ends with Ctrl-C; where the
// output is no terminal, it prints once.
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { readLocalFile } from '../state/local-file.ts';
import { LOCAL_FILE } from '../state/running.ts';
import { readView } from './read-view.ts';
import { topText } from './text.ts';

const HELP = `Shows the shards of a cluster once a second, from the console of its control (docs/console.md).

  npm run top -- [options]

  --url URL    the console, such as http://127.0.0.1:7704; by default that of the cluster that npm start runs here
  --once       print once and end; so does an output that is no terminal
  --help, -h   this text`;
const EVERY_MS = 1000;
const CLEAR = '\u001b[2J\u001b[H';

process.exitCode = await top();

async function top(): Promise<number> {
  const options = {
    url: { type: 'string' },
    once: { type: 'boolean' },
    help: { type: 'boolean', short: 'h' },
  } as const;
  let values: ReturnType<typeof parseArgs<{ options: typeof options }>>['values'];
  try {
    ({ values } = parseArgs({ options }));
  } catch (error) {
    console.error(
      `${error instanceof Error ? error.message : String(error)} (npm run top -- --help shows how)`,
    );
    return 2;
  }
  if (values.help === true) {
    console.log(HELP);
    return 0;
  }
  const url = values.url ?? readLocalFile(LOCAL_FILE)?.console;
  if (url === undefined || url === '') {
    console.error('no cluster runs from here: start one with npm start, or name a console with --url');
    return 1;
  }
  const once = values.once === true || process.stdout.isTTY !== true;
  for (;;) {
    const text = await look(url);
    if (once) {
      console.log(text.what);
      return text.seen ? 0 : 1;
    }
    process.stdout.write(`${CLEAR}${text.what}\n`);
    await delay(EVERY_MS);
  }
}

async function look(url: string): Promise<{ readonly seen: boolean; readonly what: string }> {
  const seen = await readView(url);
  if (seen.view === undefined) return { seen: false, what: seen.problem };
  const { columns = 200, rows = 100_000 } = process.stdout;
  return { seen: true, what: topText(seen.view, { columns, rows }) };
}

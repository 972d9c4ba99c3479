#!/usr/bin/env node
// weir-publish: publish one message, replay a recording, or run the demo feed, from a shell.
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { createSubjects } from '@weir/protocol';
import type { NatsLink } from '@weir/runtime';
import { createLogger, openNats, systemClock, WEIR_VERSION } from '@weir/runtime';
import { makeMessage, parseTimedMessage } from '../parse/parse-message.ts';
import { createPace } from '../replay/pace.ts';
import { readRecording } from '../replay/recording.ts';
import { Sender } from '../send/sender.ts';
import { natsTransport } from '../send/transport.ts';
import { replay } from './replay.ts';

const HELP = `weir-publish: publish to a Weir cluster

  weir-publish state <channel> <key> <json>     set the latest value of a key
  weir-publish state <channel> <key> --delete   delete a key
  weir-publish critical <channel> <json>        a message that everybody gets, in order
  weir-publish cosmetic <channel> <json>        best effort
  weir-publish replay <file>                    a recording: lines of {"t":ms,"lane":…,"channel":…,"key":…,"data":…},
                                                plain or gzip

  <json> may be - for standard input.

  --nats URL        NATS server (default: WEIR_NATS_URL, else that of a running npm start, else nats://127.0.0.1:4222)
  --prefix NAME     subject prefix (default: weir)
  --speed N         replay N times as fast (default 1)
  --max-pause MS    longest pause of a replay in milliseconds (default 1000)
  --skip-bad        replay: go on after lines that are no messages
  --help, --version
`;
const CONNECT_MS = 5_000;
const ACK_MS = 5_000;

/** Something that the user can mend; shown without a stack. */
class UsageError extends Error {}

async function main(): Promise<void> {
  const { values, positionals } = readArguments();
  if (values.help === true || positionals.length === 0) {
    process.stdout.write(HELP);
    process.exitCode = values.help === true ? 0 : 2;
    return;
  }
  if (values.version === true) return void process.stdout.write(`${WEIR_VERSION}\n`);
  const server = values.nats ?? process.env['WEIR_NATS_URL'] ?? localNats() ?? 'nats://127.0.0.1:4222';
  const logger = createLogger({ service: 'weir-publish', level: 'fatal' });
  const link = openNats({ servers: server.split(','), name: 'weir-publish', logger });
  try {
    await connected(link, server);
    const sender = new Sender({
      transport: natsTransport(link),
      subjects: createSubjects(values.prefix),
      ackTimeoutMs: ACK_MS,
      maxInFlight: 256,
      clock: systemClock,
    });
    if (positionals[0] === 'replay') await runReplay(sender, { file: positionals[1], ...values });
    else await publishOne(sender, positionals, values.delete === true);
  } finally {
    await link.close();
  }
}

function readArguments() {
  try {
    return parseArgs({
      allowPositionals: true,
      options: {
        nats: { type: 'string' },
        prefix: { type: 'string', default: 'weir' },
        speed: { type: 'string', default: '1' },
        'max-pause': { type: 'string', default: '1000' },
        'skip-bad': { type: 'boolean', default: false },
        delete: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
        version: { type: 'boolean', default: false },
      },
    });
  } catch (error) {
    throw new UsageError(`${error instanceof Error ? error.message : String(error)}; --help shows how`);
  }
}

async function publishOne(sender: Sender, words: readonly string[], remove: boolean): Promise<void> {
  const [lane = '', channel = '', third, fourth] = words;
  const key = lane === 'state' ? third : undefined;
  const text = lane === 'state' ? fourth : third;
  if (!remove && text === undefined) throw new UsageError('the JSON is missing; --help shows how');
  const data = remove || text === undefined ? undefined : text === '-' ? readFileSync(0) : Buffer.from(text);
  const parsed = makeMessage({ lane, channel, key, data });
  if ('problem' in parsed) throw new UsageError(parsed.problem.message);
  const outcome = await (await sender.submit(parsed.value)).outcome;
  if (outcome.kind === 'kept') return void process.stdout.write(`${outcome.stream} ${outcome.seq}\n`);
  if (outcome.kind === 'sent') return void process.stdout.write('sent\n');
  const why =
    outcome.kind === 'refused'
      ? outcome.message
      : 'NATS did not acknowledge it; are the streams there (has a Weir service run)?';
  throw new UsageError(`not kept: ${why}`);
}

async function runReplay(
  sender: Sender,
  given: { file: string | undefined; speed: string; 'max-pause': string; 'skip-bad': boolean },
): Promise<void> {
  const { file } = given;
  if (file === undefined || !existsSync(file))
    throw new UsageError(`the recording is not there: ${file ?? '(no file given)'}`);
  const pace = createPace({
    speed: positive(given.speed, '--speed'),
    maxPauseMs: positive(given['max-pause'], '--max-pause'),
  });
  const { kept, skipped } = await replay({
    lines: readRecording(file),
    parse: parseTimedMessage,
    pace,
    sender,
    skipBad: given['skip-bad'],
    tell: (text) => process.stderr.write(`${text}\n`),
  });
  process.stderr.write(`100 %, ${kept} kept, ${skipped} skipped\n`);
}

function positive(text: string, flag: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value) || value < 0 || (value === 0 && flag === '--speed')) {
    throw new UsageError(`${flag} must be a positive number`);
  }
  return value;
}

async function connected(link: NatsLink, server: string): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      const shown = server.replace(/\/\/[^@/]*@/g, '//***@');
      reject(new UsageError(`NATS does not answer at ${shown}; start it, or name another with --nats`));
    }, CONNECT_MS);
  });
  await Promise.race([link.ready(), late]).finally(() => clearTimeout(timer));
}

/** The NATS server of an `npm start` that runs in this folder or one above it. */
function localNats(): string | undefined {
  for (let folder = process.cwd(); ; folder = dirname(folder)) {
    const file = join(folder, '.weir', 'local.json');
    if (existsSync(file)) {
      const { nats }: { nats?: unknown } = JSON.parse(readFileSync(file, 'utf8'));
      return typeof nats === 'string' ? nats : undefined;
    }
    if (dirname(folder) === folder) return undefined;
  }
}

main().catch((error: unknown) => {
  const message = error instanceof Error ? error.message : String(error);
  process.stderr.write(`weir-publish: ${message}\n`);
  process.exitCode = error instanceof UsageError ? 2 : 1;
});

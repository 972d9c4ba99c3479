// Parses a command line into a command or a usage error. Pure.
import { parseArgs } from 'node:util';
import { type ReplayCommand, replayCommand, replayOptions } from './replay-arguments.ts';
import { UsageError } from './usage-error.ts';

export { UsageError } from './usage-error.ts';

/** The command. */
export type Command =
  | { readonly kind: 'help' }
  | { readonly kind: 'version' }
  | {
      readonly kind: 'publish';
      readonly lane: string;
      readonly channel: string;
      readonly key: string | undefined;
      /** The key is any text, to be escaped. */
      readonly escapeKey: boolean;
      /** JSON, `-` for standard input; nothing deletes the key. */
      readonly data: string | undefined;
      readonly id: string | undefined;
    }
  | ReplayCommand
  | { readonly kind: 'restore'; readonly source: string }
  | { readonly kind: 'demo'; readonly channel: string };

/** The common flags of all commands. */
export interface Common {
  readonly nats: string | undefined;
  readonly prefix: string | undefined;
}

const options = {
  nats: { type: 'string' },
  prefix: { type: 'string' },
  delete: { type: 'boolean' },
  'escape-key': { type: 'boolean' },
  ...replayOptions,
  help: { type: 'boolean', short: 'h' },
  version: { type: 'boolean' },
} as const;

type Values = ReturnType<typeof read>['values'];

/** Parses a command line; throws a `UsageError`. */
export function readArguments(argv: readonly string[]): {
  readonly command: Command;
  readonly common: Common;
} {
  const { values, positionals } = read(argv);
  const common = { nats: values.nats, prefix: values.prefix };
  if (values.help === true) return { command: { kind: 'help' }, common };
  if (values.version === true) return { command: { kind: 'version' }, common };
  const [name, ...words] = positionals;
  switch (name) {
    case undefined:
      throw new UsageError('there is no command');
    case 'state':
    case 'critical':
    case 'cosmetic':
      return { command: publishCommand(name, words, values), common };
    case 'replay':
      refuseOthers(values, 'replay', Object.keys(replayOptions));
      return { command: replayCommand(words, values), common };
    case 'restore':
      refuseOthers(values, 'restore', []);
      return { command: restoreCommand(words), common };
    case 'demo':
      refuseOthers(values, 'demo', []);
      if (words.length > 1) throw new UsageError('demo takes one word, the channel');
      return { command: { kind: 'demo', channel: words[0] ?? 'lobby' }, common };
    default:
      throw new UsageError(`${JSON.stringify(name)} is not a command`);
  }
}

function read(argv: readonly string[]) {
  try {
    const { values, positionals } = parseArgs({
      args: argv.map(marked),
      strict: true,
      allowPositionals: true,
      options,
    });
    return { values: unmarkedAll(values), positionals: positionals.map(unmarked) };
  } catch (error) {
    const [sentence = ''] = (error instanceof Error ? error.message : 'bad arguments').split(/[.;\n]/);
    const hint = sentence.startsWith('Unknown option') ? '; words that begin with -- go behind a --' : '';
    throw new UsageError(unmarked(sentence) + hint);
  }
}

/**
 * The only option with one dash is `-h`: `-1` is a number, `-k` a key and `-x.gz` a file. `parseArgs` would treat them
 * as options, so this marks them with a character that no argument can contain.
 */
const mark = '\0';

function marked(word: string): string {
  return /^-[^-]/.test(word) && word !== '-h' ? mark + word : word;
}

function unmarked(word: string): string {
  return word.replaceAll(mark, '');
}

function unmarkedAll<T extends object>(values: T): T {
  for (const [name, value] of Object.entries(values)) {
    if (typeof value === 'string') Reflect.set(values, name, unmarked(value));
  }
  return values;
}

function publishCommand(lane: string, words: readonly string[], values: Values): Command {
  refuseOthers(values, lane, lane === 'state' ? ['delete', 'id', 'escape-key'] : ['id']);
  const remove = values.delete === true;
  const [channel, ...rest] = words;
  const key = lane === 'state' ? rest.shift() : undefined;
  const [data, ...tooMany] = rest;
  const form = lane === 'state' ? 'state <channel> <key> <json>' : `${lane} <channel> <json>`;
  if (channel === undefined || (lane === 'state' && key === undefined) || tooMany.length > 0) {
    throw new UsageError(`it is: weir-publish ${form} (is the JSON in one pair of quotes?)`);
  }
  if (remove && data !== undefined) throw new UsageError('--delete takes no JSON');
  if (!remove && data === undefined) throw new UsageError(`the JSON is missing: weir-publish ${form}`);
  const escapeKey = values['escape-key'] === true;
  return { kind: 'publish', lane, channel, key, escapeKey, data, id: values.id };
}

function restoreCommand([source, ...tooMany]: readonly string[]): Command {
  if (source === undefined || tooMany.length > 0)
    throw new UsageError('it is: weir-publish restore <admin URL of a shard, file, or ->');
  return { kind: 'restore', source };
}

/** A flag that the command does not have is a usage error. */
function refuseOthers(values: Values, command: string, allowed: readonly string[]): void {
  const common = ['nats', 'prefix', 'help', 'version'];
  const other = Object.keys(values).find((name) => !common.includes(name) && !allowed.includes(name));
  if (other !== undefined) throw new UsageError(`--${other} is not for ${command}`);
}

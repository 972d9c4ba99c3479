// The arguments of `weir-publish replay`: pace, unit, and how records in foreign formats become messages. Pure.
import { parse } from '@weir/runtime';
import type { Mapping, Pick } from '../parse/parse-mapped.ts';
import { parseRecordPath } from '../parse/record-path.ts';
import { type Unit, units } from '../replay/check-unit.ts';
import { maxColumns } from '../replay/csv.ts';
import { UsageError } from './usage-error.ts';

/** `--key '.sym'` and similar flags. */
const mappingOptions = {
  lane: { type: 'string' },
  channel: { type: 'string' },
  key: { type: 'string' },
  data: { type: 'string' },
  t: { type: 'string' },
  id: { type: 'string' },
} as const;

/** All options of the command. */
export const replayOptions = {
  speed: { type: 'string' },
  'max-pause': { type: 'string' },
  rate: { type: 'string' },
  unit: { type: 'string' },
  loop: { type: 'boolean' },
  'skip-bad': { type: 'boolean' },
  'channel-prefix': { type: 'string' },
  'dry-run': { type: 'boolean' },
  csv: { type: 'boolean' },
  columns: { type: 'string' },
  ...mappingOptions,
} as const;

type Options = typeof replayOptions;

/** The values that the command has. */
export type ReplayValues = {
  readonly [Name in keyof Options]?: (Options[Name]['type'] extends 'boolean' ? boolean : string) | undefined;
};

export interface ReplayCommand {
  readonly kind: 'replay';
  /** `-` for standard input. */
  readonly path: string;
  /** Undefined by default: milliseconds, unless the times look like another unit. */
  readonly unit: Unit | undefined;
  readonly speed: number;
  readonly maxPauseMs: number;
  readonly loop: boolean;
  readonly skipBad: boolean;
  readonly channelPrefix: string;
  /** Messages a second; undefined to follow the times of the recording. */
  readonly rate: number | undefined;
  readonly dryRun: boolean;
  readonly csv: boolean;
  /** Undefined if the first line of the file names the columns. */
  readonly columns: readonly string[] | undefined;
  /** Undefined if each line is a message. */
  readonly mapping: Mapping | undefined;
}

/** Reads the command; throws a `UsageError`. */
export function replayCommand(words: readonly string[], values: ReplayValues): ReplayCommand {
  const [path] = words;
  if (path === undefined || words.length > 1)
    throw new UsageError('it is: weir-publish replay <file>, or - for standard input');
  const { rate, speed = '1' } = values;
  if (rate !== undefined && (values.speed ?? values['max-pause'] ?? values.t ?? values.unit) !== undefined)
    throw new UsageError('--rate takes no times: leave out --speed, --max-pause, --t and --unit');
  const columns = columnsOf(values.columns);
  const csv = values.csv === true || columns !== undefined;
  return {
    kind: 'replay',
    path,
    unit: unitOf(values.unit),
    speed:
      speed === 'max'
        ? Number.POSITIVE_INFINITY
        : flag('--speed', speed, parse.number({ min: 0.001, max: 1e6 })),
    maxPauseMs: flag(
      '--max-pause',
      values['max-pause'] ?? '1s',
      parse.durationMs({ min: 0, max: 86_400_000 }),
    ),
    rate: rate === undefined ? undefined : flag('--rate', rate, parse.number({ min: 0.001, max: 1e6 })),
    loop: values.loop === true,
    skipBad: values['skip-bad'] === true,
    dryRun: values['dry-run'] === true,
    csv,
    columns,
    channelPrefix: flag('--channel-prefix', values['channel-prefix'] ?? '', (text) => {
      if (/^(?:[A-Za-z0-9_-]+\.?)*$/.test(text)) return text;
      throw new Error('must be letters, digits, -, _ and dots, such as test.');
    }),
    mapping: mappingOf(values, csv),
  };
}

function columnsOf(text: string | undefined): readonly string[] | undefined {
  const names = text?.split(',').map((name) => name.trim());
  if (names === undefined) return undefined;
  if (names.length > maxColumns || names.some((name) => name === '') || new Set(names).size < names.length)
    throw new UsageError(`--columns must be up to ${maxColumns} different names, such as time,symbol,price`);
  return names;
}

/** Undefined if no flag asks for a mapping. */
function mappingOf(values: ReplayValues, csv: boolean): Mapping | undefined {
  if (!csv && !Object.keys(values).some((name) => name in mappingOptions)) return undefined;
  const lane = values.lane ?? 'state';
  if (values.channel === undefined)
    throw new UsageError('a mapping needs --channel: a name, or a path such as .market');
  if (lane === 'state' && values.key === undefined)
    throw new UsageError('a mapping of state needs --key: a path such as .sym');
  if (values.rate === undefined && values.t === undefined)
    throw new UsageError('a mapping needs --t, the path of the time, or --rate, messages a second');
  return {
    lane: pickOf('lane', lane),
    channel: pickOf('channel', values.channel),
    key: values.key === undefined ? undefined : pickOf('key', values.key),
    data: pickOf('data', values.data ?? '.'),
    t: values.t === undefined ? undefined : pickOf('t', values.t),
    id: values.id === undefined ? undefined : pickOf('id', values.id),
  };
}

/** A word that starts with a dot is a path, any other word is the text itself. */
function pickOf(name: string, text: string): Pick {
  if (!text.startsWith('.')) return { text };
  const path = parseRecordPath(text);
  if (path !== undefined) return { path, shown: text };
  throw new UsageError(`--${name} ${text} is no path: write .name, .outer.inner, .list[0] or ."odd name"`);
}

function unitOf(text: string | undefined): Unit | undefined {
  const unit = units.find((one) => one === text);
  if (text !== undefined && unit === undefined)
    throw new UsageError(`--unit must be one of: ${units.join(', ')}`);
  return unit;
}

function flag<T>(name: string, text: string, parser: (text: string) => T): T {
  try {
    return parser(text);
  } catch (error) {
    throw new UsageError(`${name} ${error instanceof Error ? error.message : 'is not valid'}`);
  }
}

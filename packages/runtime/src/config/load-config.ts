// Configuration as a process needs it: reads flags, file and environment, prints and exits. readConfig does the rest.
import { closeSync, fstatSync, openSync, readSync, writeSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { WEIR_VERSION } from '../version.ts';
import { configFileVariable, readConfig } from './read-config.ts';
import { printable } from './redact.ts';
import { repeatedName } from './repeated-name.ts';
import type { ConfigOf, ConfigRules, SettingsTable } from './setting.ts';
import { settingsHelp } from './settings-text.ts';

const maxFileBytes = 1_048_576;

/** How a service asks for its configuration. */
export interface LoadOptions<T extends SettingsTable> {
  readonly service: string;
  /** One line for `--help`. */
  readonly summary: string;
  readonly table: T;
  readonly rules?: ConfigRules<T>;
  readonly argv?: readonly string[];
  readonly env?: Readonly<Record<string, string | undefined>>;
}

/** The next step of the process: continue with a configuration, or print and exit. */
export type LoadOutcome<T extends SettingsTable> =
  | { readonly config: ConfigOf<T> }
  | { readonly exitCode: 0 | 2; readonly output: string };

/** Loads the configuration or ends the process: 0 after `--help` and similar flags, 2 if the configuration is wrong. */
export function loadConfig<const T extends SettingsTable>(options: LoadOptions<T>): ConfigOf<T> {
  const outcome = decideLoad(options);
  if ('config' in outcome) return outcome.config;
  process.exit(written(outcome.exitCode === 0 ? 1 : 2, outcome.output) ? outcome.exitCode : 1);
}

/** Whether the output took the text: a disk may be full, a reader gone. */
function written(fd: number, output: string): boolean {
  try {
    for (let rest = Buffer.from(output); rest.length > 0; rest = rest.subarray(writeSync(fd, rest)));
    return true;
  } catch {
    return false;
  }
}

/** `loadConfig` without its effects: it may read a file; it neither prints nor exits. */
export function decideLoad<const T extends SettingsTable>(options: LoadOptions<T>): LoadOutcome<T> {
  const { service, table, rules } = options;
  const env = options.env ?? process.env;
  const flags = readFlags(options.argv ?? process.argv.slice(2));
  if ('problem' in flags) return refuse(service, [`${flags.problem}; --help lists what there is`]);
  if (flags.help) return { exitCode: 0, output: helpText(options) };
  if (flags.version) return { exitCode: 0, output: `${WEIR_VERSION}\n` };
  const path = flags.config ?? env[configFileVariable];
  const file = path === undefined ? { content: undefined } : readFile(path);
  if ('problem' in file) return refuse(service, [file.problem]);
  const result = readConfig({ table, env, file: file.content, ...(rules === undefined ? {} : { rules }) });
  if ('problems' in result) return refuse(service, result.problems);
  if (flags.printConfig) {
    return { exitCode: 0, output: `${JSON.stringify(printable(table, result.config), null, 2)}\n` };
  }
  if (flags.checkConfig) return { exitCode: 0, output: `${service}: the configuration is valid\n` };
  return { config: result.config };
}

interface Flags {
  readonly help: boolean;
  readonly version: boolean;
  readonly printConfig: boolean;
  readonly checkConfig: boolean;
  readonly config: string | undefined;
}

function readFlags(argv: readonly string[]): Flags | { readonly problem: string } {
  try {
    const { values } = parseArgs({
      args: [...argv],
      strict: true,
      allowPositionals: false,
      options: {
        help: { type: 'boolean', short: 'h' },
        version: { type: 'boolean' },
        'print-config': { type: 'boolean' },
        'check-config': { type: 'boolean' },
        config: { type: 'string' },
      },
    });
    return {
      help: values.help ?? false,
      version: values.version ?? false,
      printConfig: values['print-config'] ?? false,
      checkConfig: values['check-config'] ?? false,
      config: values.config,
    };
  } catch (error) {
    const [sentence = ''] = (error instanceof Error ? error.message : 'bad arguments').split(/[.;\n]/);
    return { problem: sentence };
  }
}

function readFile(path: string): { readonly content: unknown } | { readonly problem: string } {
  try {
    const text = readText(path);
    const content: unknown = JSON.parse(text);
    const repeated = repeatedName(text);
    if (repeated !== undefined) throw new Error(`it has ${JSON.stringify(repeated)} twice`);
    return { content };
  } catch (error) {
    // The message of JSON.parse quotes the text, which may contain secrets.
    const reason =
      error instanceof SyntaxError
        ? 'it is not valid JSON'
        : error instanceof Error
          ? error.message
          : 'unknown';
    return {
      problem: `${configFileVariable} (or --config) ${JSON.stringify(path)} cannot be read: ${reason}`,
    };
  }
}

/** A device or a pipe may have no end and tells no size, so this reads one byte more than a file may have. */
function readText(path: string): string {
  const fd = openSync(path, 'r');
  try {
    if (fstatSync(fd).isDirectory()) throw new Error('it is a folder');
    const bytes = Buffer.alloc(maxFileBytes + 1);
    let length = 0;
    for (let read = -1; read !== 0 && length < bytes.length; length += read)
      read = readSync(fd, bytes, length, bytes.length - length, null);
    if (length > maxFileBytes) throw new Error(`it is larger than ${maxFileBytes} bytes`);
    // Editors of some systems put a byte order mark in front; JSON has none.
    return bytes.toString('utf8', 0, length).replace(/^\ufeff/, '');
  } finally {
    closeSync(fd);
  }
}

function refuse(
  service: string,
  problems: readonly string[],
): { readonly exitCode: 2; readonly output: string } {
  const count = problems.length === 1 ? '1 problem' : `${problems.length} problems`;
  const lines = problems.map((problem) => `  - ${problem}\n`).join('');
  return { exitCode: 2, output: `${service}: ${count} with the configuration\n${lines}` };
}

function helpText<T extends SettingsTable>({ service, summary, table }: LoadOptions<T>): string {
  return `${service} ${WEIR_VERSION}: ${summary}

Flags
  --help             print this text, and exit
  --version          print the version, and exit
  --print-config     print the configuration as JSON, secrets hidden, and exit
  --check-config     say whether the configuration is valid, and exit
  --config FILE      JSON file keyed by setting name; the environment overrides it

Environment (default in brackets)
  ${configFileVariable} (not set)
      same as --config
${settingsHelp(table)}
`;
}

// Turns environment and file into a frozen, typed configuration, or into the list of all its problems.
// Pure: the caller passes both sources; nothing is printed, and the process does not exit.
import { didYouMean } from './did-you-mean.ts';
import { redact } from './redact.ts';
import type { ConfigOf, ConfigResult, ConfigRules, Setting, SettingsTable } from './setting.ts';
import { weirVariables } from './weir-variables.ts';

/** `loadConfig` reads this variable, so every service accepts it. */
export const configFileVariable = 'WEIR_CONFIG_FILE';

type Env = Readonly<Record<string, string | undefined>>;

/** Reads a table. The environment wins over the file; all problems are reported, each with its variable. */
export function readConfig<const T extends SettingsTable>(options: {
  readonly table: T;
  readonly env: Env;
  /** Parsed JSON of the configuration file: an object keyed by setting name. */
  readonly file?: unknown;
  readonly rules?: ConfigRules<T>;
}): ConfigResult<T> {
  const { table, env, file, rules } = options;
  const entries = fileEntries(table, file);
  const problems = [...entries.problems, ...unknownVariables(table, env)];
  const values: Record<string, unknown> = {};
  for (const [name, setting] of Object.entries(table)) {
    const fromEnv = env[setting.env];
    const text = fromEnv ?? entries.texts.get(name);
    if (text === undefined) {
      if (setting.default !== undefined) values[name] = freeze(setting.default);
      else if (setting.optional !== true) problems.push(`${setting.env} is required: ${setting.meaning}`);
      else values[name] = undefined;
      continue;
    }
    const parsed = parseOne(setting, text, fromEnv === undefined ? ` (setting "${name}" of the file)` : '');
    if ('problem' in parsed) problems.push(parsed.problem);
    else values[name] = freeze(parsed.value);
  }
  if (problems.length > 0) return { problems };
  // The only cast: the loop over the table cannot know the type of each row.
  const config = Object.freeze(values) as ConfigOf<T>;
  const broken = rules?.(config) ?? [];
  return broken.length > 0 ? { problems: broken } : { config };
}

function parseOne(
  setting: Setting<unknown>,
  text: string,
  where: string,
): { readonly value: unknown } | { readonly problem: string } {
  try {
    if (text.trim() === '') throw new Error('is set but empty; give a value or leave it out');
    return { value: setting.parse(text) };
  } catch (error) {
    const sentence = error instanceof Error ? error.message : 'is not valid';
    if (setting.secret === true) {
      return { problem: `${setting.env}${where} ${sentence.replaceAll(text, '***')}` };
    }
    const link = text.startsWith('tcp://') && /_PORT$/.test(setting.env);
    const hint = link ? '; Kubernetes made it for a Service of that name: set enableServiceLinks: false' : '';
    return { problem: `${setting.env}${where} ${sentence}, got ${redact(text)}${hint}` };
  }
}

function freeze(value: unknown): unknown {
  return Array.isArray(value) ? Object.freeze([...value]) : value;
}

/** Kubernetes adds such variables for every Service of the namespace; they are not a mistake of the user. */
function isServiceLink(name: string, value: string): boolean {
  if (/_SERVICE_(?:HOST|PORT(?:_[A-Z0-9_]+)?)$/.test(name)) return true;
  if (/_PORT_\d+_(?:TCP|UDP|SCTP)(?:_(?:PROTO|PORT|ADDR))?$/.test(name)) return true;
  return /_PORT$/.test(name) && /^(?:tcp|udp|sctp):\/\//.test(value);
}

/** Settings of other services are no mistake: one environment file may serve all of them. */
function unknownVariables(table: SettingsTable, env: Env): readonly string[] {
  const known = new Set([
    configFileVariable,
    ...Object.values(table).map((setting) => setting.env),
    ...weirVariables,
  ]);
  return Object.entries(env)
    .filter(([name, value]) => name.startsWith('WEIR_') && value !== undefined && !known.has(name))
    .filter(([name, value]) => !isServiceLink(name, value ?? ''))
    .map(([name]) => `${name.slice(0, 80)} is not a setting of this service${didYouMean(name, [...known])}`);
}

function fileEntries(
  table: SettingsTable,
  file: unknown,
): { readonly texts: ReadonlyMap<string, string>; readonly problems: readonly string[] } {
  const texts = new Map<string, string>();
  if (file === undefined) return { texts, problems: [] };
  if (typeof file !== 'object' || file === null || Array.isArray(file)) {
    return { texts, problems: ['the configuration file must be a JSON object keyed by setting name'] };
  }
  const problems: string[] = [];
  for (const [name, value] of Object.entries(file)) {
    const setting = Object.hasOwn(table, name) ? table[name] : undefined;
    const text = fileText(value);
    if (setting === undefined) {
      const guess = didYouMean(name, Object.keys(table));
      problems.push(`"${name.slice(0, 80)}" in the file is not a setting of this service${guess}`);
    } else if (text === undefined) {
      problems.push(
        `${setting.env} (setting "${name}" of the file) must be text, a number, true, false or a list of these`,
      );
    } else texts.set(name, text);
  }
  return { texts, problems };
}

function fileText(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  if (!Array.isArray(value)) return undefined;
  const entries = value.map((entry) => (Array.isArray(entry) ? undefined : fileText(entry)));
  return entries.some((entry) => entry === undefined || entry.includes(',')) ? undefined : entries.join(',');
}

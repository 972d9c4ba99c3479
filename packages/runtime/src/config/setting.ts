// The types of a settings table: one row is one environment variable of one service.
// Independent of the source of the text; never reads the environment.

/** One setting. `parse` throws an `Error` whose message is a human sentence ("must be …"). */
export interface Setting<T> {
  /** Environment variable; begins with `WEIR_`. */
  readonly env: string;
  readonly parse: (text: string) => T;
  /** The value without a text. A row with neither `default` nor `optional` is required. */
  readonly default?: T;
  /** Unit of the parsed value, for people: `ms`, `bytes`. */
  readonly unit?: string;
  /** One line: what the setting does. */
  readonly meaning: string;
  /** Never printed, logged or quoted in a problem. */
  readonly secret?: boolean;
  /** The setting may be missing; the value is then `undefined`. */
  readonly optional?: boolean;
}

/** All settings of a service by their name in the code and in the configuration file. */
export type SettingsTable = Readonly<Record<string, Setting<unknown>>>;

/** The default of each row is a value that the row parses. */
type WithDefaults<T extends SettingsTable> = {
  readonly [K in keyof T]: { readonly default?: ReturnType<T[K]['parse']> };
};

/** The rows by the type of their values, whatever their bounds and defaults are. */
type RowsOf<T extends SettingsTable> = {
  readonly [K in keyof T]: T[K] extends { readonly optional: true }
    ? Setting<ReturnType<T[K]['parse']>> & { readonly optional: true }
    : Setting<ReturnType<T[K]['parse']>>;
};

/** The table as it is given; `ConfigOf` has the type of what is read by it. */
export function defineSettings<const T extends SettingsTable>(table: T & WithDefaults<T>): RowsOf<T> {
  return table as RowsOf<T>;
}

/** The frozen result of reading a table. */
export type ConfigOf<T extends SettingsTable> = {
  readonly [K in keyof T]: T[K] extends { readonly optional: true }
    ? ReturnType<T[K]['parse']> | undefined
    : ReturnType<T[K]['parse']>;
};

/** Checks that need more than one setting; each string is one problem in words. */
export type ConfigRules<T extends SettingsTable> = (config: ConfigOf<T>) => readonly string[];

/** Everything that is wrong with a configuration, or the configuration. */
export type ConfigResult<T extends SettingsTable> =
  | { readonly config: ConfigOf<T> }
  | { readonly problems: readonly string[] };

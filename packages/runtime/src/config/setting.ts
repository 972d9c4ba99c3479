// The types of a settings table: one row is one environment variable of one service.
// Knows nothing of where the text comes from; never reads the environment.

/** One setting. `parse` throws an `Error` whose message is a human sentence ("must be …"). */
export interface Setting<T> {
  /** Environment variable, begins with `WEIR_`. */
  readonly env: string;
  readonly parse: (text: string) => T;
  /** What holds when nothing is given. A row with neither `default` nor `optional` is required. */
  readonly default?: T;
  /** Unit of the parsed value, for people: `ms`, `bytes`. */
  readonly unit?: string;
  /** One line: what the setting does. */
  readonly meaning: string;
  /** Never printed, logged or quoted in a problem. */
  readonly secret?: boolean;
  /** May be left out; the value is then `undefined`. */
  readonly optional?: boolean;
}

/** A row that may be left out. */
export type OptionalSetting<T> = Setting<T> & { readonly optional: true };

/** All settings of a service by their name in the code and in the configuration file. */
export type SettingsTable = Readonly<Record<string, Setting<unknown>>>;

/** The rows for these values: a value that may be missing is a row that may be left out. */
export type TableOf<C> = {
  readonly [K in keyof C]: undefined extends C[K] ? OptionalSetting<Exclude<C[K], undefined>> : Setting<C[K]>;
};

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

// Owns which part of our environment the services get: all but the settings that the plan makes itself.

/** The one setting that is handed on: how much the services say. */
const HANDED_ON = 'WEIR_LOG_LEVEL';

export interface ServiceEnvironment {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Names of settings that have no effect here. */
  readonly ignored: readonly string[];
}

/** Takes every other `WEIR_…` away: a setting of one service would be refused by the others as unknown. */
export function serviceEnvironment(own: Readonly<Record<string, string | undefined>>): ServiceEnvironment {
  const isSetting = (name: string): boolean => name.startsWith('WEIR_') && name !== HANDED_ON;
  const kept = Object.entries(own).filter(([name]) => !isSetting(name));
  return {
    env: { [HANDED_ON]: 'warn', ...Object.fromEntries(kept) },
    ignored: Object.keys(own).filter(isSetting),
  };
}

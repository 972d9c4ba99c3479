// How a setting's value may be shown to people: quoted, short, and without what is secret in it.
import type { SettingsTable } from './setting.ts';

const longestQuote = 80;

/** A URL without its `user:password@`, its query and its fragment, in which keys are written; other texts as they are. */
export function hideSecrets(text: string): string {
  return text.replace(/(:\/\/)[^/?#\s]*@/g, '$1***@').replace(/(:\/\/[^\s?#]*[?#])\S+/g, '$1***');
}

/**
 * The text as a short JSON string without what may be secret in it. The text is no valid value, so it may be a URL
 * without its scheme or with a password that is not escaped: more is hidden than in one that is valid.
 */
export function conceal(text: string): string {
  const shown = text.replace(/(:\/\/|^(?!\S*:\/\/))\S*@/g, '$1***@').replace(/([?#])\S+/g, '$1***');
  return JSON.stringify(shown.length > longestQuote ? `${shown.slice(0, longestQuote)}…` : shown);
}

function shownValue(value: unknown): unknown {
  if (typeof value === 'string') return hideSecrets(value);
  if (Array.isArray(value)) return value.map(shownValue);
  return value;
}

/** A configuration as it may be printed: secrets are `***`, what is not set is `null`. */
export function printable(
  table: SettingsTable,
  config: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> {
  const rows = Object.entries(table).map(([name, setting]) => {
    const value = config[name];
    if (value === undefined) return [name, null] as const;
    return [name, setting.secret === true ? '***' : shownValue(value)] as const;
  });
  return Object.fromEntries(rows);
}

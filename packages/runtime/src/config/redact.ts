// How an error or a printed configuration shows a setting's value: quoted, short, and without its secrets.
import type { SettingsTable } from './setting.ts';

const longestQuote = 80;

/** A URL without its `user:password@`, query and fragment, where people write keys; other texts stay the same. */
export function hideSecrets(text: string): string {
  return text.replace(/(:\/\/)[^/?#\s]*@/g, '$1***@').replace(/(:\/\/[^\s?#]*[?#])\S+/g, '$1***');
}

/**
 * The text as a short JSON string without possible secrets. The text is not a valid value: it may be a URL without a
 * scheme or with an unescaped password, so this hides more than `hideSecrets`.
 */
export function redact(text: string): string {
  const shown = text.replace(/(:\/\/|^(?!\S*:\/\/))\S*@/g, '$1***@').replace(/([?#])\S+/g, '$1***');
  return JSON.stringify(shown.length > longestQuote ? `${shown.slice(0, longestQuote)}…` : shown);
}

function shownValue(value: unknown): unknown {
  if (typeof value === 'string') return hideSecrets(value);
  if (Array.isArray(value)) return value.map(shownValue);
  return value;
}

/** The configuration for printing: secrets are `***`, settings without a value are `null`. */
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

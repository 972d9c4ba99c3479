// How a setting's value may be shown to people: quoted, short, and without what is secret in it.
import type { SettingsTable } from './setting.ts';

const longestQuote = 80;

/** A URL without its `user:password@`, any other text as it is. */
export function hideUserinfo(text: string): string {
  return text.replace(/(:\/\/)[^/\s,]*@/g, '$1***@');
}

/** The text as a short JSON string without user information. */
export function conceal(text: string): string {
  const shown = hideUserinfo(text);
  return JSON.stringify(shown.length > longestQuote ? `${shown.slice(0, longestQuote)}…` : shown);
}

function shownValue(value: unknown): unknown {
  if (typeof value === 'string') return hideUserinfo(value);
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

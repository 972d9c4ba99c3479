// A settings table for people: as Markdown for the docs, as plain text for `--help`.
import { hideSecrets } from './redact.ts';
import type { Setting, SettingsTable } from './setting.ts';

function defaultText(setting: Setting<unknown>): string {
  if (setting.default === undefined) return setting.optional === true ? 'not set' : 'required';
  if (setting.secret === true) return '***';
  const { default: value } = setting;
  if (Array.isArray(value)) return value.length === 0 ? 'none' : hideSecrets(value.join(','));
  return hideSecrets(String(value));
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll(/\s+/g, ' ');
}

/** One row a setting: variable, default, unit, meaning. */
export function settingsMarkdown(table: SettingsTable): string {
  const rows = Object.values(table).map((setting) => {
    const known = setting.default !== undefined && defaultText(setting) !== 'none';
    const shown = known ? `\`${cell(defaultText(setting))}\`` : defaultText(setting);
    return `| \`${setting.env}\` | ${shown} | ${cell(setting.unit ?? '')} | ${cell(setting.meaning)} |`;
  });
  return ['| Variable | Default | Unit | Meaning |', '|---|---|---|---|', ...rows, ''].join('\n');
}

/** Two lines a setting, for a terminal. */
export function settingsHelp(table: SettingsTable): string {
  return Object.values(table)
    .map((setting) => {
      const unit = setting.unit === undefined ? '' : ` ${setting.unit}`;
      return `  ${setting.env} (${defaultText(setting)}${setting.default === undefined ? '' : unit})\n      ${setting.meaning}`;
    })
    .join('\n');
}

// The chart's files from the settings tables of the services, for write-docs.mjs: its schema, which also follows
// values.yaml, and files/settings.json, with which templates/validate.yaml checks the rules that a schema cannot express.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../set-up.mjs';
import { schemaText } from './schema.mjs';
import { furtherVariables } from './variables.mjs';

export async function chartSchema() {
  return schemaText(readFileSync(join(ROOT, 'charts/weir/values.yaml'), 'utf8'), await furtherVariables());
}

/** Numbers and their units, by service and variable. */
export async function chartSettings() {
  const numbers = Object.entries(await furtherVariables()).map(([service, variables]) => [
    service,
    Object.fromEntries(Object.entries(variables).filter(([, { range }]) => range !== undefined)),
  ]);
  return `${JSON.stringify(Object.fromEntries(numbers))}\n`;
}

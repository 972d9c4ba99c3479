// charts/weir/values.schema.json from values.yaml and the settings tables of the services, for write-docs.mjs.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../set-up.mjs';
import { schemaText } from './schema.mjs';
import { furtherVariables } from './variables.mjs';

export async function chartSchema() {
  return schemaText(readFileSync(join(ROOT, 'charts/weir/values.yaml'), 'utf8'), await furtherVariables());
}

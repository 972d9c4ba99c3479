// `npm run top`: shows the shards of a cluster; local/src/top/main.ts has the options. Builds only what was never built:
// a build would replace the programs of a cluster that runs from here.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { command, ROOT, setUp } from './set-up.mjs';

await command(async () => {
  if (!existsSync(join(ROOT, 'local/dist/top/main.js'))) await setUp();
  await import('../local/dist/top/main.js');
});

// `npm run bench:probe`: builds the bench and runs it; test/bench/probe/bench.ts defines the options.
import { command, runTool, setUp } from './set-up.mjs';

await command(async () => {
  await setUp();
  process.exitCode = await runTool('tsc', ['-b', 'test/bench/probe']);
  if (process.exitCode === 0) await import('../test/bench/probe/dist/bench/probe/bench.js');
});

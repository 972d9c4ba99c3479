// `npm run bench:routing`: builds the bench and runs it; test/bench/routing/bench.ts defines the options.
import { command, runTool, setUp } from './set-up.mjs';

await command(async () => {
  await setUp();
  process.exitCode = await runTool('tsc', ['-b', 'test/bench/routing']);
  if (process.exitCode === 0) await import('../test/bench/routing/dist/bench/routing/bench.js');
});

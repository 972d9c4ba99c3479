// `npm run bench:shard`: builds the bench and runs it; test/bench/shard/bench.ts defines the options.
import { command, runTool, setUp } from './set-up.mjs';

await command(async () => {
  await setUp();
  process.exitCode = await runTool('tsc', ['-b', 'test/bench/shard']);
  if (process.exitCode === 0) await import('../test/bench/shard/dist/bench/shard/bench.js');
});

// `npm run bench:page`: builds the bench and runs it on the first page; test/bench/page/bench.ts defines the options.
// Starts a cluster of its own on free ports if none runs from here.
import { withCluster } from './local-cluster.mjs';
import { command, runTool, setUp } from './set-up.mjs';

await command(async () => {
  await setUp();
  process.exitCode = await runTool('tsc', ['-b', 'test/bench/page']);
  if (process.exitCode !== 0) return;
  const { benchPage } = await import('../test/bench/page/dist/bench/page/bench.js');
  const args = process.argv.slice(2);
  if (args.includes('--help')) return benchPage('', args);
  await withCluster(({ page }) => benchPage(page, args));
});

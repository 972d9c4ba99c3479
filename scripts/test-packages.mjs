// `npm run test:packages`: the packed SDK with other versions and tools from a registry: Node 20, 22 and 24, Bun, Deno,
// TypeScript 5.5 and 7, webpack, Rollup, Next, React Native's URL. Downloads a gigabyte into a temporary folder.
import { command, runTool, setUp } from './set-up.mjs';

await command(async () => {
  await setUp();
  process.exitCode = await runTool('vitest', ['run', 'test/lab/packages', ...process.argv.slice(2)], {
    env: { ...process.env, WEIR_TEST_PACKAGES: 'true' },
  });
});

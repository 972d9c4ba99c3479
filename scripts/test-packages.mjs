// `npm run test:packages`: the packed SDK with other versions and tools from a registry: Node 20, 22 and 24, Bun, Deno,
// TypeScript 5.5 and 7, webpack, Rollup, Next, React Native's URL; the applications of examples/; docs/migrate with a
// Centrifugo that Go builds. Downloads a gigabyte, most of it into temporary folders.
import { provideCentrifugo } from './packages/centrifugo.mjs';
import { command, runTool, setUp } from './set-up.mjs';

await command(async () => {
  await setUp();
  const args = process.argv.slice(2);
  const tests = args.length > 0 ? args : ['test/lab/packages', 'test/cluster/migrate'];
  process.exitCode = await runTool('vitest', ['run', ...tests], {
    env: {
      ...process.env,
      WEIR_TEST_PACKAGES: 'true',
      WEIR_CENTRIFUGO: provideCentrifugo(console.error),
    },
  });
});

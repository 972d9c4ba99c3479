// `npm run check`: format and lint, types, unused code, layers, packed files, the site of docs/. All steps run; the last
// line names those that failed.
import { buildSite } from './docs.mjs';
import { checkPacked } from './packages/check-packed.mjs';
import { command, runTool, setUp } from './set-up.mjs';

const STEPS = [
  { name: 'format and lint', tool: 'biome', args: ['check', '--error-on-warnings'] },
  { name: 'types', tool: 'tsc', args: ['-b'] },
  { name: 'types of the tests', tool: 'tsc', args: ['-p', 'tsconfig.test.json'] },
  { name: 'unused files, exports and dependencies', tool: 'knip', args: ['--no-progress'] },
  { name: 'layers', tool: 'vitest', args: ['run', 'test/contract/layers', '--reporter=dot'] },
];

await command(async () => {
  await setUp(); // types and layers of one package need the builds of the others
  const failed = [];
  for (const { name, tool, args } of STEPS) {
    console.log(`\n── ${name}: ${tool} ${args.join(' ')}`);
    if ((await runTool(tool, args)) !== 0) failed.push(name);
  }
  console.log('\n── packed files: publint, attw, budgets');
  if ((await checkPacked()) !== 0) failed.push('packed files');
  console.log('\n── site: typedoc, vitepress');
  if ((await buildSite()) !== 0) failed.push('site');
  process.exitCode = failed.length === 0 ? 0 : 1;
  console.log(failed.length === 0 ? '\ncheck: all is well' : `\ncheck FAILED: ${failed.join('; ')}`);
});

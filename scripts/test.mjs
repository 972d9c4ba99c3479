// `npm test`: set-up, a NATS server, Python's library, then every test. Arguments go to vitest. Ends with the counts.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { providePython } from './python.mjs';
import { command, runTool, setUp } from './set-up.mjs';

await command(async () => {
  await setUp();
  const { findNatsServer } = await import('../local/dist/index.js');
  try {
    await findNatsServer({ say: (line) => console.log(line) });
  } catch (error) {
    console.error(error.message);
    process.exitCode = 1;
    return;
  }
  providePython((line) => console.log(line));
  await runTests(process.argv.slice(2));
});

async function runTests(args) {
  const folder = mkdtempSync(join(tmpdir(), 'weir-test-'));
  const file = join(folder, 'counts.json');
  try {
    const reporters = ['--reporter=default', '--reporter=./scripts/count-reporter.mjs'];
    const env = { ...process.env, WEIR_TEST_COUNTS: file };
    const code = await runTool('vitest', ['run', ...reporters, ...args], { env });
    const counts = read(file);
    if (counts === undefined) {
      console.error('vitest did not finish: nothing was counted');
      process.exitCode = code === 0 ? 1 : code;
      return;
    }
    const { passed, failed, skipped } = counts;
    process.exitCode = failed > 0 && code === 0 ? 1 : code;
    console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function read(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return undefined;
  }
}

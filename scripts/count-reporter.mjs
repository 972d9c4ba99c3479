// A vitest reporter that counts, and writes the counts to the file named by WEIR_TEST_COUNTS. Prints nothing.
import { writeFileSync } from 'node:fs';

// vitest requires a default export.
export default class CountReporter {
  onTestRunEnd(modules, unhandledErrors) {
    const counts = { passed: 0, failed: unhandledErrors.length, skipped: 0 };
    for (const module of modules) {
      count(module, counts);
      for (const suite of module.children.allSuites()) count(suite, counts);
      for (const test of module.children.allTests()) {
        const { state } = test.result();
        // A test that is still pending at the end never finished: neither a pass nor a skip.
        counts[state === 'passed' || state === 'skipped' ? state : 'failed'] += 1;
      }
    }
    const file = process.env['WEIR_TEST_COUNTS'];
    if (file !== undefined) writeFileSync(file, JSON.stringify(counts));
  }
}

/** A file or a suite that failed outside its tests: it did not load, or a hook threw. */
function count(suite, counts) {
  if (suite.errors().length > 0) counts.failed += 1;
}

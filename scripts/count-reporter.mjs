// A vitest reporter that counts, and writes the counts to the file named by WEIR_TEST_COUNTS. Prints nothing.
import { writeFileSync } from 'node:fs';

// vitest takes a reporter's default export.
export default class CountReporter {
  onTestRunEnd(modules, unhandledErrors) {
    const counts = { passed: 0, failed: unhandledErrors.length, skipped: 0 };
    for (const module of modules) {
      count(module, counts);
      for (const suite of module.children.allSuites()) count(suite, counts);
      for (const test of module.children.allTests()) {
        const { state } = test.result();
        // What is still pending at the end was never finished: that is no pass and no skip.
        counts[state === 'passed' || state === 'skipped' ? state : 'failed'] += 1;
      }
    }
    const file = process.env['WEIR_TEST_COUNTS'];
    if (file !== undefined) writeFileSync(file, JSON.stringify(counts));
  }
}

/** A file or a suite that failed beside its tests: it did not load, or a hook threw. */
function count(suite, counts) {
  if (suite.errors().length > 0) counts.failed += 1;
}

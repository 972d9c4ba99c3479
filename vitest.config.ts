// Which tests there are and how they run; docs/testing.md says what belongs where. No retries: a test that needs one is
// a bug to be found.
import { defineConfig } from 'vitest/config';

/** These tests start real servers and kill processes, each on ports of its own. */
const processes = { pool: 'forks', testTimeout: 120_000, hookTimeout: 120_000 } as const;

/**
 * Clusters beside each other: most of a test is waiting, so four of them keep two cores busy. At full scale each test
 * wants the machine for itself.
 */
const sideBySide = process.env['WEIR_TEST_SCALE'] === 'full' ? 1 : 4;

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: [
            '{packages,services}/*/src/**/*.test.ts',
            'local/src/**/*.test.ts',
            'test/{harness,bench}/**/*.test.ts',
          ],
          // Nothing is mocked and modules keep no state, so that files share what they import: less than half the time.
          pool: 'threads',
          isolate: false,
          maxWorkers: '100%',
          // How fast a test is, is never asserted: a property test may share the machine with others.
          testTimeout: 60_000,
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          ...processes,
          name: 'contract',
          include: ['test/contract/**/*.test.ts'],
          // What Helm gave for the same values is kept for all files of a process.
          isolate: false,
          maxWorkers: sideBySide,
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          ...processes,
          name: 'cluster',
          // Modules keep no state between files, so that a process loads them once.
          isolate: false,
          include: ['test/cluster/**/*.test.ts'],
          maxWorkers: sideBySide,
          sequence: { groupOrder: 1 },
        },
      },
      {
        // These tests measure time or memory, run a browser, or load the machine on purpose: one file at a time.
        test: {
          ...processes,
          name: 'alone',
          include: ['test/{alone,lab}/**/*.test.ts'],
          fileParallelism: false,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});

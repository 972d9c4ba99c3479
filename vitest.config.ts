// Which tests there are and how they run; docs/testing.md says what belongs where. No retries: a test that needs one is
// a bug to be found.
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** These tests start real servers and kill processes, each on ports of its own. */
const processes = { pool: 'forks', testTimeout: 120_000, hookTimeout: 120_000 } as const;

/**
 * Clusters beside each other: most of a test is waiting, so five of them keep two cores busy. At full scale each test
 * wants the machine for itself.
 */
const sideBySide = process.env['WEIR_TEST_SCALE'] === 'full' ? 1 : 5;

/** These take longest, and begin first: no file runs on when all others have ended. This decides only when they run. */
const LONGEST = [
  'cluster/store/store-rollback',
  'cluster/start/documents',
  'cluster/random/random',
  'cluster/pools/second-look',
  'cluster/arrival/token-ends',
  'cluster/start/npm-start',
  'cluster/hostile-clients/handshakes',
  'cluster/browser/lobby-page',
  'cluster/nats/nats-away',
  'cluster/publish/publish-command',
  'cluster/browser/dead-path',
  'cluster/migrate/migrate',
  'cluster/clients/examples',
].map((name) => `/test/${name}.test.ts`);

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const place = ({ moduleId, project }: TestSpecification): number => {
      const at = LONGEST.findIndex((name) => moduleId.endsWith(name));
      if (at >= 0) return at;
      // Helm keeps a core busy: beside clusters that wait.
      return project.name === 'contract' ? LONGEST.length : LONGEST.length + 1;
    };
    const ofGroup = ({ project }: TestSpecification): number => project.config.sequence.groupOrder;
    return (await super.sort(files)).sort((a, b) => ofGroup(a) - ofGroup(b) || place(a) - place(b));
  }
}

export default defineConfig({
  test: {
    sequence: { sequencer: LongestFirst },
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
        // These tests measure time or memory, or load the machine on purpose: one file at a time.
        test: {
          ...processes,
          name: 'alone',
          // As in `cluster`.
          isolate: false,
          include: ['test/{alone,lab}/**/*.test.ts'],
          fileParallelism: false,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});

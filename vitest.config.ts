// Which tests there are and how they run. No retries: a test that needs one is a bug to be found.
import { defineConfig } from 'vitest/config';

/** What measures time, runs a browser, or loads the machine on purpose: alone, one file at a time. */
const measured = [
  'test/{backpressure,netlab,proxies,images}/**/*.test.ts',
  'test/k8s/cluster/*.test.ts',
  'test/cases/{all-at-once,clocks,flat-out,frozen-tab,labels,last-words,little-processor,long-life}.test.ts',
  'test/cases/middlebox.test.ts',
  'test/cases/{quiet,sparse-stream,stuck-memory,thread-shares,threads,zip-bomb}.test.ts',
  'test/cases/browser.test.ts',
  'test/random/random.test.ts',
  'test/clients/{dead-path,demo-page,page-life}.test.ts',
  'test/integration/{control,demotion,probe-links,promotion,reconnect-storm}.test.ts',
];

/** They start real servers and kill processes, each on ports of its own. */
const integration = { pool: 'forks', testTimeout: 60_000, hookTimeout: 60_000 } as const;

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: ['{packages,services}/*/src/**/*.test.ts', 'local/src/**/*.test.ts'],
          pool: 'threads',
          testTimeout: 10_000,
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          ...integration,
          name: 'integration',
          include: ['test/**/*.test.ts'],
          exclude: measured,
          maxWorkers: 2,
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          ...integration,
          name: 'measured',
          include: measured,
          fileParallelism: false,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});

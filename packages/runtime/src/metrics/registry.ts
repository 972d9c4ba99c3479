// The registry of one process: default process metrics and the build. No default labels: the scrape adds the pod.
import { readdir, stat } from 'node:fs/promises';
import { collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import { defineMetrics, NAMES, registerMetrics } from './define-metrics.ts';

const OPEN_FILES = 'process_open_fds';
const FOLDER = '/proc/self/fd';

export const processMetrics = defineMetrics()({
  buildInfo: {
    kind: 'gauge',
    name: 'weir_build_info',
    help: 'Which build runs; always 1',
    advice: 'Two versions at a time outside a rollout',
    labels: { service: NAMES, version: NAMES, node: NAMES },
  },
});

/** Creates a registry with the metrics of the process; a process has one. */
export function createMetricsRegistry(options: {
  readonly service: string;
  readonly version: string;
}): Registry {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  countOpenFiles(registry);
  const { service, version } = options;
  registerMetrics(registry, processMetrics).metrics.buildInfo.set(
    { service, version, node: process.versions.node },
    1,
  );
  return registry;
}

/** prom-client lists the folder and waits for it: with ten thousand connections nothing else runs for 25 to 50 ms. */
function countOpenFiles(registry: Registry): void {
  // It has none where there is no such folder.
  if (registry.getSingleMetric(OPEN_FILES) === undefined) return;
  registry.removeSingleMetric(OPEN_FILES);
  new Gauge({
    name: OPEN_FILES,
    help: 'Number of open file descriptors.',
    registers: [registry],
    async collect() {
      // From Linux 6.2 on the folder's size is the number of its entries; before, it is 0.
      const { size } = await stat(FOLDER);
      this.set(size > 0 ? size : (await readdir(FOLDER)).length);
    },
  });
}

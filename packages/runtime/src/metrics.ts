// The registry of one process: default process metrics and the build. No default labels: the scrape adds the pod.
import { collectDefaultMetrics, Gauge, Registry } from 'prom-client';

/** A new registry; a process has one. */
export function createMetricsRegistry(options: {
  readonly service: string;
  readonly version: string;
}): Registry {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  new Gauge({
    name: 'weir_build_info',
    help: 'Which build runs; always 1',
    labelNames: ['service', 'version', 'node'],
    registers: [registry],
  }).set({ service: options.service, version: options.version, node: process.versions.node }, 1);
  return registry;
}

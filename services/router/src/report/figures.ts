// Tells the console this router's figures and newest decisions when it is asked.
import type { Decision } from '@weir/fleet';
import { answerFigures, FIGURE_NAMES } from '@weir/fleet';
import { createSubjects } from '@weir/protocol';
import type { ServiceParts } from '@weir/runtime';
import { processName, readSeries, WEIR_VERSION } from '@weir/runtime';
import type { RouterConfig } from '../config.ts';

export function tellFigures(
  { config, link, registry, logger, clock }: ServiceParts<RouterConfig>,
  decisions: { readonly newest: readonly Decision[] },
): void {
  const { probeRttThresholdMs: rttMs, probeRateThresholdKbps: kbps } = config;
  const id = processName();
  answerFigures({
    connected: link.ready(),
    subject: createSubjects(config.subjectPrefix).figures,
    read: async () => ({
      v: 1,
      service: 'router',
      id,
      version: WEIR_VERSION,
      upMs: Math.round(process.uptime() * 1000),
      limits: { rttMs, kbps },
      series: await readSeries(registry, FIGURE_NAMES.router),
      decisions: decisions.newest,
    }),
    answer: (subject, bytes) => link.publish(subject, bytes),
    monotonicMs: () => clock.monotonicMs(),
    onFault: (err) => logger.error({ err }, 'figures cannot be told'),
  });
}

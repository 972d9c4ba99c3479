// Tells the console this publisher's figures when it is asked.
import { answerFigures, FIGURE_NAMES } from '@weir/fleet';
import { createSubjects } from '@weir/protocol';
import type { ServiceParts } from '@weir/runtime';
import { processName, readSeries, WEIR_VERSION } from '@weir/runtime';
import type { PublisherConfig } from '../config.ts';

export function tellFigures({ config, link, registry, logger, clock }: ServiceParts<PublisherConfig>): void {
  const id = processName();
  answerFigures({
    connected: link.ready(),
    subject: createSubjects(config.subjectPrefix).figures,
    read: async () => ({
      v: 1,
      service: 'publisher',
      id,
      version: WEIR_VERSION,
      upMs: Math.round(process.uptime() * 1000),
      limits: {},
      series: await readSeries(registry, FIGURE_NAMES.publisher),
    }),
    answer: (subject, bytes) => link.publish(subject, bytes),
    monotonicMs: () => clock.monotonicMs(),
    onFault: (err) => logger.error({ err }, 'figures cannot be told'),
  });
}

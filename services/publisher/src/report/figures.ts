// Tells the console this publisher's figures when it is asked.
import { FIGURE_NAMES, tellFigures } from '@weir/fleet';
import { createSubjects } from '@weir/protocol';
import type { ServiceParts } from '@weir/runtime';
import { processName, readSeries, WEIR_VERSION } from '@weir/runtime';
import type { PublisherConfig } from '../config.ts';

export function tellPublisher(parts: ServiceParts<PublisherConfig>): void {
  tellFigures(parts, {
    subject: createSubjects(parts.config.subjectPrefix).figures,
    own: { service: 'publisher', id: processName(), version: WEIR_VERSION, limits: {} },
    upMs: () => process.uptime() * 1_000,
    series: () => readSeries(parts.registry, FIGURE_NAMES.publisher),
  });
}

// Tells the console this router's figures and newest decisions when it is asked.
import type { Decision } from '@weir/fleet';
import { FIGURE_NAMES, tellFigures } from '@weir/fleet';
import { createSubjects } from '@weir/protocol';
import type { ServiceParts } from '@weir/runtime';
import { processName, readSeries, WEIR_VERSION } from '@weir/runtime';
import type { RouterConfig } from '../config.ts';

export function tellRouter(
  parts: ServiceParts<RouterConfig>,
  decisions: { readonly newest: readonly Decision[] },
): void {
  const { subjectPrefix, probeRttThresholdMs: rttMs, probeRateThresholdKbps: kbps } = parts.config;
  tellFigures(parts, {
    subject: createSubjects(subjectPrefix).figures,
    own: { service: 'router', id: processName(), version: WEIR_VERSION, limits: { rttMs, kbps } },
    upMs: () => process.uptime() * 1_000,
    series: () => readSeries(parts.registry, FIGURE_NAMES.router),
    decisions: () => decisions.newest,
  });
}

// Control's process. What control does is in control.ts.
import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { createBeats } from '@weir/fleet';
import { configuredAccess, createKubeApi } from '@weir/kubernetes';
import { createSubjects } from '@weir/protocol';
import { natsAccess, openNats, runService } from '@weir/runtime';
import type { ControlConfig } from './config.ts';
import { rules, settings } from './config.ts';
import type { Cluster } from './control.ts';
import { Control } from './control.ts';
import { createControlMetrics } from './metrics.ts';
import { askToShed } from './rebalance/ask-to-shed.ts';

await runService({
  service: 'control',
  summary: 'serves load to autoscalers, balances shards and prices pods; never in the data path',
  table: settings,
  rules,
  create(parts) {
    const { config, link, logger, registry, clock } = parts;
    const subjects = createSubjects(config.subjectPrefix);
    const { metrics, readFrom } = createControlMetrics(registry, config.pools);
    const { beatSilentMs: silentMs, maxShards, rebalanceWithinMs: withinMs, natsUrl: servers } = config;
    const counting = { servers, name: 'weir-control-counting', ...natsAccess(config), logger };
    return new Control({
      ...parts,
      cluster: clusterOf(config),
      counting: config.measureStreams ? openNats(counting) : undefined,
      beats: createBeats({ silentMs, maxShards, clock, onBeat: (outcome) => metrics.beats.inc({ outcome }) }),
      subjects,
      shed: (shard, moves) => askToShed({ link, subjects, withinMs }, shard, moves),
      metrics,
      readFrom,
      random: Math.random,
      run: randomBytes(4).toString('hex'),
    });
  },
});

function clusterOf(config: ControlConfig): Cluster | undefined {
  const access = configuredAccess(config);
  if (access === undefined) return undefined;
  const { namespace = '', podName } = config;
  const identity = podName ?? `${hostname()}-${randomBytes(4).toString('hex')}`;
  return { api: createKubeApi(access), namespace, identity };
}

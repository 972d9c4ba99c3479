// The router's process. What the router does is in router.ts.
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { configuredAccess, createKubeApi } from '@weir/kubernetes';
import { runService } from '@weir/runtime';
import { fitted, rules, settings } from './config.ts';
import { createRouterMetrics } from './metrics.ts';
import { Decisions } from './report/decisions.ts';
import { tellRouter } from './report/figures.ts';
import { createRouter } from './router.ts';
import { openShards } from './shards.ts';

await runService({
  service: 'router',
  summary: 'accepts clients, measures them and sends each to the pool and shard that suit it',
  table: settings,
  rules,
  fit: fitted,
  create(parts) {
    const { config, link, registry } = parts;
    const access = configuredAccess(config);
    const api = access === undefined ? undefined : createKubeApi(access);
    const decisions = new Decisions(parts.clock);
    const { metrics, readFrom } = createRouterMetrics(registry, decisions);
    tellRouter(parts, decisions);
    const { random } = Math;
    const shards = openShards({ ...parts, api, connected: link.ready(), metrics, random });
    return createRouter({ ...parts, shards, metrics, readFrom, random, randomBytes, sleep });
  },
});

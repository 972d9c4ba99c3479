// The shard's process. What the shard does is in shard.ts.
import { Worker } from 'node:worker_threads';
import { runService } from '@weir/runtime';
import { FILES_A_THREAD, fitted, rules, settings, threadsOf } from './config.ts';
import { createShardMetrics } from './main-thread/metrics.ts';
import { serveConsole } from './main-thread/report/console.ts';
import { Shard } from './main-thread/shard.ts';

await runService({
  service: 'shard',
  summary: 'broadcasts NATS messages to the connections of one pool',
  table: settings,
  rules,
  natsName: ({ shardId }) => `weir-shard-${shardId}`,
  otherFiles: (config) => FILES_A_THREAD * threadsOf(config),
  fit: fitted,
  create(parts) {
    const { metrics, readFrom } = createShardMetrics(parts.registry);
    const shard = new Shard({
      ...parts,
      metrics,
      startThread: (start) =>
        new Worker(new URL('./fan-out-thread/thread-main.js', import.meta.url), { workerData: start }),
    });
    readFrom(shard);
    const draining = (): boolean => shard.flags.draining;
    serveConsole({ ...parts, draining, end: () => process.kill(process.pid, 'SIGTERM') });
    const { pool, shardId } = parts.config;
    return {
      async start() {
        await shard.start();
        return { url: shard.url, about: { pool, shard: shardId } };
      },
      health: () => shard.health(),
      stops: [
        { name: 'move the clients', run: () => shard.drain() },
        { name: 'stop', run: () => shard.stop() },
      ],
      routes: { '/lost-state': () => shard.losses.answer() },
      removals: { '/lost-state': () => shard.losses.discard() },
    };
  },
});

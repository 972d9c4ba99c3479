// A flood of state from NATS into one shard with a few clients: ticks stay on time, and memory stays flat.
import { CountingProcess } from '../counting-process.ts';
import { withServers } from '../measure.ts';
import { MemorySeries } from '../memory-series.ts';
import type { Feed } from '../peers/feed.ts';
import { cpuSeconds } from '../process-usage.ts';
import type { Scenario } from '../scenario.ts';
import { goal, quantile, round, sleep } from '../scenario.ts';
import { startWeir } from '../servers.ts';
import { growth, histogramQuantile, scrape } from '../shard-metrics.ts';

const PER_SECOND = 20_000;
const KEYS = 5_000;
const BYTES = 200;
const CHANNELS = 50;
const silence: Feed = { tickMs: 100, messagesPerTick: 0, bytes: 0, channels: CHANNELS };
const WARM_UP_MS = 5_000;
const LATENESS = 'weir_shard_tick_lateness_seconds';

export const intake: Scenario = {
  about: '20,000 messages a second over 5,000 keys of 200 B into one shard, a tick of 100 ms',
  full: { clients: 100, seconds: 300, rounds: 1 },
  quick: { clients: 10, seconds: 10, rounds: 1 },
  run: async ({ clients, seconds, say }) =>
    withServers(
      [() => startWeir(silence)],
      ({ server, load }) => load.open(server, { clients, perClient: 1 }),
      async ([bench]) => {
        if (bench === undefined) throw new Error('no server');
        const { server, load } = bench;
        const publisher = new CountingProcess('publisher-process', [
          server.natsUrl,
          'weir',
          PER_SECOND,
          KEYS,
          CHANNELS,
          BYTES,
        ]);
        try {
          await publisher.ready();
          publisher.say('play');
          await sleep(WARM_UP_MS);
          await server.profile(true);
          await load.measure(0);
          const before = await scrape(server.admin);
          const publishedBefore = await publisher.count();
          const cpu = { shard: cpuSeconds(server.pid), nats: cpuSeconds(server.natsPid()) };
          const startMs = performance.now();
          const series = new MemorySeries(server.pid, server.port);
          for (let s = 0; s < seconds; s += Math.min(30, seconds)) {
            await sleep(Math.min(30, seconds) * 1000);
            say(`after ${s + 30} s: ${round(series.flatness().maxMb, 0)} MB at most`);
          }
          series.stop();
          const after = await scrape(server.admin);
          const published = (await publisher.count()) - publishedBefore;
          const took = (performance.now() - startMs) / 1000;
          const shardCpu = cpuSeconds(server.pid) - cpu.shard;
          const natsCpu = cpuSeconds(server.natsPid()) - cpu.nats;
          const report = await load.report();
          await server.profile(false);
          const accepted = growth(before, after, 'weir_shard_intake_messages_total{lane="state"}');
          const lateness = histogramQuantile(before, after, LATENESS, 0.99) * 1000;
          const ages = report.stateMs.toSorted((a, b) => a - b);
          const flat = series.flatness();
          const share = accepted / published;
          return {
            rows: [
              {
                'published/s': round(published / took, 0),
                'taken in/s': round(accepted / took, 0),
                gaps: growth(before, after, 'weir_shard_intake_problems_total{stream="state",problem="gap"}'),
                'shard cpu %': round((shardCpu / took) * 100, 1),
                'µs/message': round((shardCpu / accepted) * 1e6, 1),
                'nats cpu %': round((natsCpu / took) * 100, 1),
                'tick late p99 ms': lateness,
                'age p50 ms': round(quantile(ages, 0.5), 0),
                'age p99 ms': round(quantile(ages, 0.99), 0),
                'second minute MB': round(flat.secondMb, 1),
                'last minute MB': round(flat.lastMb, 1),
                'largest MB': round(flat.maxMb, 1),
              },
            ],
            goals: [
              goal('messages published a second', published / took, 'at least', PER_SECOND * 0.95),
              goal('part of them that the shard took in', share, 'at least', 0.99),
              goal('tick lateness p99, ms', lateness, 'at most', 50),
              goal('memory of the last minute, against the second', flat.ratio, 'at most', 1.05),
            ],
            series: { memory: series.rows },
          };
        } finally {
          await publisher.end();
        }
      },
    ),
};

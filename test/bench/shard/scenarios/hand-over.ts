// 20 MB/s for fan-out threads that have hardly anything else to do: memory must not grow. The shard is a black box: a
// few clients (so that every thread gets the frames), and the memory of the process over time.
import { withServers } from '../measure.ts';
import { MemorySeries } from '../memory-series.ts';
import type { Feed } from '../peers/feed.ts';
import { message } from '../peers/feed.ts';
import { threads } from '../process-usage.ts';
import type { Scenario } from '../scenario.ts';
import { goal, round, sleep } from '../scenario.ts';
import { startWeir } from '../servers.ts';
import { growth, histogramQuantile, scrape } from '../shard-metrics.ts';

const silence: Feed = { tickMs: 100, messagesPerTick: 0, bytes: 0, channels: 1 };
const MESSAGE_BYTES = 12_500;
const TICK_BYTES = 2_000_000;
/** A tick is larger than the backlog that this pool allows a client. */
const env = {
  WEIR_COSMETIC_MAX_BYTES_PER_TICK: String(4 * TICK_BYTES),
  WEIR_SOFT_BYTES: '32MB',
  WEIR_HARD_BYTES: '64MB',
};
const WARM_UP_MS = 5_000;

export const handOver: Scenario = {
  about: '20 MB/s of cosmetic messages to fan-out threads with a client each',
  full: { clients: 4, seconds: 600, rounds: 1 },
  quick: { clients: 2, seconds: 20, rounds: 1 },
  run: async ({ clients, seconds, say }) =>
    withServers(
      [() => startWeir(silence, { env })],
      ({ server, load }) => load.open(server, { clients, perClient: 1, samples: 0 }),
      async ([bench]) => {
        if (bench === undefined) throw new Error('no server');
        const { server, load } = bench;
        const text = message(MESSAGE_BYTES, 0);
        const timer = setInterval(() => {
          for (let sent = 0; sent < TICK_BYTES; sent += MESSAGE_BYTES)
            server.nats.publish('weir.cosmetic.c0', text);
        }, silence.tickMs);
        await sleep(WARM_UP_MS);
        const before = await scrape(server.admin);
        const series = new MemorySeries(server.pid, server.port);
        for (let s = 0; s < seconds; s += Math.min(30, seconds)) {
          await sleep(Math.min(30, seconds) * 1000);
          say(`after ${s + 30} s: ${round(series.flatness().maxMb, 0)} MB at most`);
        }
        series.stop();
        clearInterval(timer);
        const after = await scrape(server.admin);
        const flat = series.flatness();
        const report = await load.counts();
        const handedMb = growth(before, after, 'weir_shard_encoded_bytes_total') / seconds / 1e6;
        return {
          rows: [
            {
              threads: threads(server.pid),
              clients: report.open,
              'encoded MB/s': round(handedMb, 1),
              'to clients MB/s': round(
                growth(before, after, 'weir_shard_written_bytes_total') / seconds / 1e6,
                1,
              ),
              'second minute MB': round(flat.secondMb, 1),
              'last minute MB': round(flat.lastMb, 1),
              'largest MB': round(flat.maxMb, 1),
              'tick late p99 ms':
                histogramQuantile(before, after, 'weir_shard_tick_lateness_seconds', 0.99) * 1000,
            },
          ],
          goals: [
            goal('MB/s that were handed over', handedMb, 'at least', 18),
            goal('memory of the last minute, against the second', flat.ratio, 'at most', 1.05),
          ],
          series: { memory: series.rows },
        };
      },
    ),
};

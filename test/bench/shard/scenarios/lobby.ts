// The casino lobby at full size: runs without errors, in bounded memory, and on time.
import { Load } from '../load.ts';
import { MemorySeries } from '../memory-series.ts';
import type { Feed } from '../peers/feed.ts';
import { cpuSeconds } from '../process-usage.ts';
import type { Scenario } from '../scenario.ts';
import { goal, quantile, round, sleep } from '../scenario.ts';
import { startWeir } from '../servers.ts';
import { growth, histogramQuantile, scrape } from '../shard-metrics.ts';
import { keepStuck } from './stuck.ts';

const feed: Feed = { tickMs: 500, messagesPerTick: 1, bytes: 2_048, channels: 1 };
const extras = { criticalMs: 500, cosmeticPerTick: 2 };
const SHARE = 0.01;
const WARM_UP_MS = 10_000;
/** Since a process may have 20,000 files open. */
const CLIENTS_A_LOAD = 7_000;

export const lobby: Scenario = {
  about: '2 KB every 500 ms to everybody, critical and cosmetic on top, 1 % stuck',
  full: { clients: 14_000, seconds: 600, rounds: 1 },
  quick: { clients: 500, seconds: 20, rounds: 1 },
  run: async ({ clients, seconds, say }) => {
    const server = await startWeir(feed, { extras });
    const loads = Array.from({ length: Math.ceil(clients / CLIENTS_A_LOAD) }, () => new Load());
    try {
      server.play(true);
      say(`connecting ${clients} clients from ${loads.length} processes`);
      const each = Math.ceil(clients / loads.length);
      // In sequence: this scenario does not measure how fast a shard admits clients.
      for (const load of loads) await load.open(server, { clients: each, perClient: 1 });
      await sleep(WARM_UP_MS);
      const before = await scrape(server.admin);
      const series = new MemorySeries(server.pid, server.port);
      const cpu = [server.pid, ...loads.map(({ pid }) => pid)].map((pid) => ({
        pid,
        before: cpuSeconds(pid),
      }));
      for (const load of loads) await load.stick(Math.round(each * SHARE));
      const kept = await Promise.all(
        loads.map((load, i) =>
          keepStuck({ server, load }, seconds, (s) => {
            if (i === 0) say(`after ${s} s: ${round(series.flatness().maxMb, 0)} MB at most`);
          }),
        ),
      );
      series.stop();
      const after = await scrape(server.admin);
      const cpuPercent = cpu.map((one) => ((cpuSeconds(one.pid) - one.before) / seconds) * 100);
      const sum = (read: (report: (typeof kept)[number]['report']) => number): number =>
        kept.reduce((all, { report }) => all + read(report), 0);
      const latencies = kept.flatMap(({ report }) => report.stateMs).sort((a, b) => a - b);
      const criticals = kept.flatMap(({ report }) => report.criticalMs).sort((a, b) => a - b);
      const errors = sum(
        ({ failed, closed, holes, repeats, invalid }) => failed + closed + holes + repeats + invalid,
      );
      const lateness = histogramQuantile(before, after, 'weir_shard_tick_lateness_seconds', 0.99) * 1000;
      const flat = series.flatness();
      return {
        rows: [
          {
            open: sum(({ open }) => open),
            errors,
            'stuck, replaced': kept.reduce((all, one) => all + one.replaced, 0),
            'largest RSS MB': round(flat.maxMb, 0),
            'last : second minute': round(flat.ratio, 3),
            'largest in the kernel MB': round(series.maxQueuedMb, 0),
            'tick late p99 ms': lateness,
            'state p50 ms': round(quantile(latencies, 0.5), 1),
            'state p99 ms': round(quantile(latencies, 0.99), 1),
            'critical p99 ms': round(quantile(criticals, 0.99), 1),
            'cpu %': round(cpuPercent[0] ?? Number.NaN, 1),
            'load cpu %': round(
              cpuPercent.slice(1).reduce((all, one) => all + one, 0),
              1,
            ),
            'load late p99 ms': round(Math.max(...kept.map(({ report }) => report.loopMs)), 1),
            'MB/s': round(growth(before, after, 'weir_shard_written_bytes_total') / seconds / 1e6, 1),
          },
        ],
        goals: [
          goal('errors (refused, closed, missing, twice, broken)', errors, 'at most', 0),
          goal('largest resident memory, MB', flat.maxMb, 'at most', 500),
          goal('tick lateness p99, ms', lateness, 'at most', 100),
        ],
        series: { memory: series.rows },
      };
    } finally {
      for (const load of loads) await load.end();
      await server.stop();
    }
  },
};

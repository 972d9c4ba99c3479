// A tenth of the clients stop reading: the effect on healthy clients and on the server's memory. The naive loop runs at
// the same time, under the same load. If a server evicts stuck clients, the bench adds as many new ones, so that a
// tenth stays stuck for the whole run.
import type { Load } from '../load.ts';
import type { LoadReport } from '../load-process.ts';
import type { Bench } from '../measure.ts';
import { withServers } from '../measure.ts';
import { MemorySeries } from '../memory-series.ts';
import type { Feed } from '../peers/feed.ts';
import type { Goal, Outcome, Row, Scenario } from '../scenario.ts';
import { goal, median, quantile, round, sleep } from '../scenario.ts';
import type { Server } from '../servers.ts';
import { startPeer, startWeir } from '../servers.ts';

const feed: Feed = { tickMs: 500, messagesPerTick: 1, bytes: 2_048, channels: 1 };
const SHARE = 0.1;
const SETTLE_MS = 3_000;
const LONGEST_LATENCY_WINDOW_SECONDS = 20;

/** p99 of the healthy clients of one server, one value a round. */
interface Latencies {
  readonly without: Quantiles[];
  readonly withStuck: Quantiles[];
}

interface Quantiles {
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly criticalP99Ms: number;
}

export const stuck: Scenario = {
  about:
    '2 KB at 2 Hz and critical messages, with and without a tenth of the clients stuck; the naive loop beside it',
  full: { clients: 5_000, seconds: 600, rounds: 5 },
  quick: { clients: 200, seconds: 20, rounds: 1 },
  run: async ({ clients, seconds, rounds, say }) => {
    const starts: (() => Promise<Server>)[] = [
      () => startWeir(feed, { extras: { criticalMs: 250 } }),
      () => startPeer('naive-ws', feed),
    ];
    const open = async ({ server, load }: Bench): Promise<void> => {
      say(`connecting ${clients} clients to ${server.name}`);
      await load.open(server, { clients, perClient: 1, samples: 100 });
      server.play(true);
    };
    return withServers(starts, open, async (benches) => {
      await sleep(SETTLE_MS);
      const latencies = new Map<string, Latencies>();
      for (const { server } of benches) latencies.set(server.name, { without: [], withStuck: [] });
      const windowSeconds = Math.min(LONGEST_LATENCY_WINDOW_SECONDS, Math.max(5, seconds / 20));
      for (let r = 0; r < rounds; r++) {
        const both = await Promise.all(
          benches.map((bench) => compareLatencies(bench, clients * SHARE, windowSeconds)),
        );
        for (const [i, { server }] of benches.entries()) {
          latencies.get(server.name)?.without.push(...(both[i]?.without ?? []));
          latencies.get(server.name)?.withStuck.push(...(both[i]?.withStuck ?? []));
        }
        say(`round ${r + 1} of ${rounds}: ${both.map(saidOf).join('; ')}`);
      }
      const memories = await Promise.all(
        benches.map((bench) => watchMemory(bench, clients * SHARE, seconds, say)),
      );
      return outcomeOf(benches, latencies, memories);
    });
  },
};

async function compareLatencies(
  { server, load }: Bench,
  stuckClients: number,
  seconds: number,
): Promise<Latencies> {
  const without = quantilesOf(await load.measure(seconds));
  await load.stick(stuckClients);
  await sleep(SETTLE_MS);
  const withStuck = quantilesOf(await load.measure(seconds));
  await load.dismissStuck();
  await load.open(server, { clients: stuckClients, perClient: 1, samples: 0 });
  await sleep(SETTLE_MS);
  return { without: [without], withStuck: [withStuck] };
}

function quantilesOf(report: LoadReport): Quantiles {
  const state = report.stateMs.toSorted((a, b) => a - b);
  const critical = report.criticalMs.toSorted((a, b) => a - b);
  return {
    p50Ms: quantile(state, 0.5),
    p99Ms: quantile(state, 0.99),
    criticalP99Ms: quantile(critical, 0.99),
  };
}

function saidOf({ without, withStuck }: Latencies): string {
  return `p99 ${round(without[0]?.p99Ms ?? 0, 0)} ms without, ${round(withStuck[0]?.p99Ms ?? 0, 0)} ms with stuck`;
}

interface Watched {
  readonly series: MemorySeries;
  readonly report: LoadReport;
  /** Stuck clients that replaced evicted ones. */
  readonly replaced: number;
}

async function watchMemory(
  bench: Bench,
  stuckClients: number,
  seconds: number,
  say: (line: string) => void,
): Promise<Watched> {
  const { server, load } = bench;
  const series = new MemorySeries(server.pid, server.port);
  await load.stick(stuckClients);
  try {
    const { report, replaced } = await keepStuck(bench, seconds, (s) => {
      const { lastMb } = series.flatness();
      say(
        `${server.name} after ${s} s: ${round(lastMb, 0)} MB, the kernel ${round(series.queuedMb, 0)} MB for it`,
      );
    });
    return { series, report, replaced };
  } finally {
    series.stop();
  }
}

const SAY_EVERY_SECONDS = 30;

/** Replaces each evicted stuck client by another stuck one. */
export async function keepStuck(
  { server, load }: { readonly server: Server; readonly load: Load },
  seconds: number,
  said: (seconds: number) => void,
): Promise<{ readonly report: LoadReport; readonly replaced: number }> {
  const endMs = performance.now() + seconds * 1000;
  const startMs = performance.now();
  const cutBefore = (await load.measure(0)).stuckClosed;
  let replaced = 0;
  let saidAt = 0;
  while (performance.now() < endMs) {
    await sleep(Math.min(1_000, Math.max(0, endMs - performance.now())));
    const { stuckClosed } = await load.counts();
    const missing = stuckClosed - cutBefore - replaced;
    if (missing > 0) {
      await load.open(server, { clients: missing, perClient: 1, samples: 0, stuck: true });
      replaced += missing;
    }
    const s = Math.round((performance.now() - startMs) / 1000);
    if (s - saidAt >= SAY_EVERY_SECONDS) {
      saidAt = s;
      said(s);
    }
  }
  return { report: await load.report(), replaced };
}

function outcomeOf(
  benches: readonly Bench[],
  latencies: ReadonlyMap<string, Latencies>,
  memories: readonly Watched[],
): Outcome {
  const rows: Row[] = [];
  const goals: Goal[] = [];
  const series: Record<string, readonly Row[]> = {};
  for (const [i, { server }] of benches.entries()) {
    const watched = memories[i];
    const measured = latencies.get(server.name);
    if (watched === undefined || measured === undefined) continue;
    const flat = watched.series.flatness();
    const of = (list: readonly Quantiles[], read: (q: Quantiles) => number): number => median(list.map(read));
    rows.push({
      server: server.name,
      'p99 ms, none stuck': round(
        of(measured.without, (q) => q.p99Ms),
        1,
      ),
      'p99 ms, 10 % stuck': round(
        of(measured.withStuck, (q) => q.p99Ms),
        1,
      ),
      'critical p99 ms, none stuck': round(
        of(measured.without, (q) => q.criticalP99Ms),
        1,
      ),
      'critical p99 ms, 10 % stuck': round(
        of(measured.withStuck, (q) => q.criticalP99Ms),
        1,
      ),
      'second minute MB': round(flat.secondMb, 1),
      'last minute MB': round(flat.lastMb, 1),
      'largest MB': round(flat.maxMb, 1),
      'largest in the kernel MB': round(watched.series.maxQueuedMb, 1),
      'cut off and replaced': watched.replaced,
      'healthy closed': watched.report.closed,
    });
    series[server.name] = watched.series.rows;
    if (server.name !== 'weir') continue;
    const against = (read: (q: Quantiles) => number): number =>
      of(measured.withStuck, read) / of(measured.without, read);
    goals.push(
      goal(
        'state p99 with stuck clients, against without',
        against((q) => q.p99Ms),
        'at most',
        1.2,
      ),
      goal(
        'critical p99 with stuck clients, against without',
        against((q) => q.criticalP99Ms),
        'at most',
        1.2,
      ),
      goal('memory of the last minute, against the second', flat.ratio, 'at most', 1.05),
      goal('healthy clients that lost their connection', watched.report.closed, 'at most', 0),
      goal('critical messages missing or twice', watched.report.holes + watched.report.repeats, 'at most', 0),
    );
  }
  return { rows, goals, series };
}

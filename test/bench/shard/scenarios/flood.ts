// Clients that mean harm, and what those notice of it that are served, and those that come. Each kind is compared with as
// many clients that come at the same moments and say nothing, in the same run; one that is gone is replaced a while later,
// so that the flood lasts.
import type { FloodKind } from '../flood.ts';
import { FLOOD_KINDS, Flood } from '../flood.ts';
import { LoadClient } from '../load-client.ts';
import type { Bench } from '../measure.ts';
import { withServers } from '../measure.ts';
import type { Feed } from '../peers/feed.ts';
import { cpuSeconds, residentBytes } from '../process-usage.ts';
import type { Goal, Row, Scenario } from '../scenario.ts';
import { goal, median, quantile, round, sleep } from '../scenario.ts';
import type { WeirServer } from '../servers.ts';
import { startWeir } from '../servers.ts';

const feed: Feed = { tickMs: 100, messagesPerTick: 1, bytes: 200, channels: 1 };
const FLOODERS = 25;
/** So long a flooder is away that was closed: with tickets for each, worse than what a router's rate lets through. */
const AGAIN_MS = 250;
const NEWCOMER_EVERY_MS = 50;
const SETTLE_MS = 1_000;
const TICKETS = 1_000;
const BOUND = 1.5;
const BYTES_EACH = 2_097_152;

interface Window {
  readonly criticalP99Ms: number;
  readonly newcomerP99Ms: number;
  readonly cpu: number;
}

interface Flooded {
  readonly window: Window;
  readonly grownBytes: number;
  readonly begun: number;
}

export const flood: Scenario = {
  about: `${FLOODERS} clients that flood in each of ${FLOOD_KINDS.length} ways, replaced when they are gone`,
  full: { clients: 200, seconds: 10, rounds: 5 },
  quick: { clients: 50, seconds: 3, rounds: 1 },
  run: async ({ clients, seconds, rounds, say }) => {
    const start = (): Promise<WeirServer> => startWeir(feed, { extras: { criticalMs: 10 } });
    const open = async ({ server, load }: Bench<WeirServer>): Promise<void> => {
      await load.open(server, { clients, perClient: 1, samples: 50 });
      server.play(true);
    };
    const flooding = new Flood();
    try {
      return await withServers([start], open, async ([bench]) => {
        if (bench === undefined) throw new Error('there is no server');
        const rows: Row[] = [];
        const goals: Goal[] = [];
        await sleep(5 * SETTLE_MS);
        const under = async (kind: FloodKind): Promise<Flooded> => {
          const { server } = bench;
          const before = residentBytes(server.pid);
          const paths = await server.clientPaths(TICKETS, 1);
          const { port } = server;
          await flooding.say({ order: 'flood', kind, port, flooders: FLOODERS, againMs: AGAIN_MS, paths });
          const window = await look(bench, seconds);
          const grownBytes = residentBytes(server.pid) - before;
          return { window, grownBytes, ...(await flooding.say({ order: 'stop' })) };
        };
        for (const kind of FLOOD_KINDS) {
          const quiet: Window[] = [];
          const loud: Window[] = [];
          let begun = 0;
          let grownBytes = 0;
          for (let r = 0; r < rounds; r++) {
            await sleep(SETTLE_MS);
            quiet.push((await under('nothing')).window);
            await sleep(SETTLE_MS);
            const flooded = await under(kind);
            loud.push(flooded.window);
            grownBytes = Math.max(grownBytes, flooded.grownBytes);
            begun += flooded.begun;
          }
          const of = (read: (window: Window) => number): readonly [number, number, number] => [
            median(quiet.map(read)),
            median(loud.map(read)),
            median(loud.map((window, r) => read(window) / read(quiet[r] ?? window))),
          ];
          const critical = of((window) => window.criticalP99Ms);
          const newcomer = of((window) => window.newcomerP99Ms);
          const cpu = of((window) => window.cpu);
          rows.push({
            kind,
            flooders: begun,
            'p99 ms silent': round(critical[0], 1),
            'p99 ms flood': round(critical[1], 1),
            '×': round(critical[2]),
            'newcomer p99 ms silent': round(newcomer[0], 1),
            'newcomer p99 ms flood': round(newcomer[1], 1),
            'newcomer ×': round(newcomer[2]),
            'cores silent': round(cpu[0]),
            'cores flood': round(cpu[1]),
            'MB more': round(grownBytes / 1e6, 1),
          });
          say(`${kind}: ${JSON.stringify(rows.at(-1))}`);
          goals.push(
            goal(`${kind}: p99 of healthy clients, against silent ones`, critical[2], 'at most', BOUND),
            goal(`${kind}: p99 of newcomers, against silent ones`, newcomer[2], 'at most', BOUND),
            goal(`${kind}: bytes a flooder`, grownBytes / FLOODERS, 'at most', BYTES_EACH),
          );
        }
        const { closed, holes, repeats } = await bench.load.counts();
        goals.push(
          goal('healthy clients that lost their connection', closed, 'at most', 0),
          goal('critical messages missing or twice', holes + repeats, 'at most', 0),
        );
        return { rows, goals };
      });
    } finally {
      await flooding.end();
    }
  },
};

/** One window: the healthy clients by the load, newcomers from here. */
async function look({ server, load }: Bench<WeirServer>, seconds: number): Promise<Window> {
  const cpu = cpuSeconds(server.pid);
  const times: number[] = [];
  const coming = newcomers(server, seconds, times);
  const { criticalMs } = await load.measure(seconds);
  await coming;
  return {
    criticalP99Ms: quantile(
      criticalMs.toSorted((a, b) => a - b),
      0.99,
    ),
    newcomerP99Ms: quantile(
      times.toSorted((a, b) => a - b),
      0.99,
    ),
    cpu: (cpuSeconds(server.pid) - cpu) / seconds,
  };
}

async function newcomers(server: WeirServer, seconds: number, times: number[]): Promise<void> {
  const { port } = server;
  const visits: Promise<void>[] = [];
  for (let i = 0; i < (seconds * 1_000) / NEWCOMER_EVERY_MS; i++) {
    const path = await server.pathOf(['c0']);
    visits.push(
      new Promise((resolve) => {
        const startMs = performance.now();
        const counts = { open: 0, closed: 0, stuckClosed: 0, failed: 0, frames: 0, bytes: 0 };
        const done = (): void => {
          clearTimeout(late);
          times.push(performance.now() - startMs);
          client.leave();
          resolve();
        };
        const late = setTimeout(done, seconds * 1_000);
        // Served is who has its first words.
        const client = new LoadClient({ host: '127.0.0.1', port, path, counts, sample: done });
      }),
    );
    await sleep(NEWCOMER_EVERY_MS);
  }
  await Promise.all(visits);
}

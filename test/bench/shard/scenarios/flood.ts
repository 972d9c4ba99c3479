// Hostile clients, and their effect on served clients and on newcomers. Each kind is compared with as many silent
// clients at the same moments in the same run. A closed flooder is replaced a moment later, so that the flood lasts.
import { paths } from '@weir/protocol';
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
import { startRouter, startWeir } from '../servers.ts';

const feed: Feed = { tickMs: 100, messagesPerTick: 1, bytes: 200, channels: 1 };
const FLOODERS = 25;
/** Pause before a closed flooder returns. With a ticket for each, this is worse than a router's rate would allow. */
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

/** The flooded service, to which newcomers also connect. */
interface Target {
  readonly pid: number;
  readonly port: number;
  paths(count: number): Promise<readonly string[]>;
}

type Open = (bench: Bench<WeirServer>) => Promise<{ readonly target: Target; stop(): Promise<void> }>;

const ofShard: Open = async ({ server }) => ({
  target: { pid: server.pid, port: server.port, paths: (count) => server.clientPaths(count, 1) },
  stop: async () => undefined,
});

const ofRouter: Open = async ({ server }) => {
  const router = await startRouter(server.natsUrl);
  const path = `${paths.connect}?channels=c0`;
  return {
    target: { ...router, paths: async (count) => Array.from({ length: count }, () => path) },
    stop: () => router.stop(),
  };
};

const floodOf = (name: 'shard' | 'router', open: Open): Scenario => ({
  about: `${FLOODERS} clients that flood a ${name} in each of ${FLOOD_KINDS.length} ways, replaced when they are gone`,
  full: { clients: 200, seconds: 10, rounds: 5 },
  quick: { clients: 50, seconds: 3, rounds: 1 },
  run: async ({ clients, seconds, rounds, say }) => {
    const start = (): Promise<WeirServer> => startWeir(feed, { extras: { criticalMs: 10 } });
    const connected = async ({ server, load }: Bench<WeirServer>): Promise<void> => {
      await load.open(server, { clients, perClient: 1, samples: 50 });
      server.play(true);
    };
    const flooding = new Flood();
    try {
      return await withServers([start], connected, async ([bench]) => {
        if (bench === undefined) throw new Error('there is no server');
        const { target, stop } = await open(bench);
        await sleep(5 * SETTLE_MS);
        const rows: Row[] = [];
        const goals: Goal[] = [];
        try {
          for (const kind of FLOOD_KINDS) {
            const compared = await compare({ bench, target, flooding, kind, seconds, rounds });
            rows.push(compared.row);
            goals.push(...compared.goals);
            say(`${kind}: ${JSON.stringify(compared.row)}`);
          }
        } finally {
          await stop();
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
});

export const flood: Scenario = floodOf('shard', ofShard);
export const floodRouter: Scenario = floodOf('router', ofRouter);

interface Comparison {
  readonly bench: Bench<WeirServer>;
  readonly target: Target;
  readonly flooding: Flood;
  readonly kind: FloodKind;
  readonly seconds: number;
  readonly rounds: number;
}

/** The flood against as many silent clients, in alternating rounds. */
async function compare(o: Comparison): Promise<{ readonly row: Row; readonly goals: readonly Goal[] }> {
  const { kind, rounds } = o;
  const silent: Window[] = [];
  const loud: Flooded[] = [];
  for (let r = 0; r < rounds; r++) {
    await sleep(SETTLE_MS);
    silent.push((await under(o, 'nothing')).window);
    await sleep(SETTLE_MS);
    loud.push(await under(o, kind));
  }
  const of = (read: (window: Window) => number): readonly [number, number, number] => [
    median(silent.map(read)),
    median(loud.map(({ window }) => read(window))),
    median(loud.map(({ window }, r) => read(window) / read(silent[r] ?? window))),
  ];
  const critical = of((window) => window.criticalP99Ms);
  const newcomer = of((window) => window.newcomerP99Ms);
  const cpu = of((window) => window.cpu);
  const grownBytes = Math.max(...loud.map((flooded) => flooded.grownBytes));
  const row = {
    kind,
    flooders: loud.reduce((sum, { begun }) => sum + begun, 0),
    'p99 ms silent': round(critical[0], 1),
    'p99 ms flood': round(critical[1], 1),
    '×': round(critical[2]),
    'newcomer p99 ms silent': round(newcomer[0], 1),
    'newcomer p99 ms flood': round(newcomer[1], 1),
    'newcomer ×': round(newcomer[2]),
    'cores silent': round(cpu[0]),
    'cores flood': round(cpu[1]),
    'MB more': round(grownBytes / 1e6, 1),
  };
  const goals = [
    goal(`${kind}: p99 of healthy clients, against silent ones`, critical[2], 'at most', BOUND),
    goal(`${kind}: p99 of newcomers, against silent ones`, newcomer[2], 'at most', BOUND),
    goal(`${kind}: bytes a flooder`, grownBytes / FLOODERS, 'at most', BYTES_EACH),
  ];
  return { row, goals };
}

async function under({ bench, target, flooding, seconds }: Comparison, kind: FloodKind): Promise<Flooded> {
  const { pid, port } = target;
  const before = residentBytes(pid);
  const given = await target.paths(TICKETS);
  await flooding.say({ order: 'flood', kind, port, flooders: FLOODERS, againMs: AGAIN_MS, paths: given });
  const window = await look(bench, target, seconds);
  const grownBytes = residentBytes(pid) - before;
  return { window, grownBytes, ...(await flooding.say({ order: 'stop' })) };
}

/** One window: healthy clients from the load process, newcomers from this process. */
async function look({ load }: Bench<WeirServer>, target: Target, seconds: number): Promise<Window> {
  const cpu = cpuSeconds(target.pid);
  const times: number[] = [];
  const coming = newcomers(target, seconds, times);
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
    cpu: (cpuSeconds(target.pid) - cpu) / seconds,
  };
}

async function newcomers(target: Target, seconds: number, times: number[]): Promise<void> {
  const { port } = target;
  const visits: Promise<void>[] = [];
  for (let i = 0; i < (seconds * 1_000) / NEWCOMER_EVERY_MS; i++) {
    const [path = ''] = await target.paths(1);
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
        // A newcomer counts as served with its first message.
        const client = new LoadClient({ host: '127.0.0.1', port, path, counts, sample: done });
      }),
    );
    await sleep(NEWCOMER_EVERY_MS);
  }
  await Promise.all(visits);
}

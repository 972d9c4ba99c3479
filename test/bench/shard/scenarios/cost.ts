// CPU of the server for one write (client and tick) and for one message, against the peers, in interleaved rounds: all
// servers are connected together, and one plays while the others are silent.
import type { Bench, Measured } from '../measure.ts';
import { measureAlone, withServers } from '../measure.ts';
import type { Feed } from '../peers/feed.ts';
import type { Goal, Row, Scenario } from '../scenario.ts';
import { goal, median, round } from '../scenario.ts';
import type { Server, WeirServer } from '../servers.ts';
import { startPeer, startWeir } from '../servers.ts';
import { growth, scrape } from '../shard-metrics.ts';

const one: Feed = { tickMs: 100, messagesPerTick: 1, bytes: 2_048, channels: 1 };

/** One server in one round. */
interface Window {
  readonly measured: Measured;
  readonly perWriteUs: number;
  readonly perMessageUs: number;
}

interface Contest {
  readonly about: string;
  readonly feed: Feed;
  readonly perClient: number;
  /** Minimum factor by which a message is cheaper than in the naive loop and Socket.IO. */
  readonly cheaper?: number;
  /** Maximum cost of a write relative to a write of the first feed. */
  readonly againstOne?: number;
}

function contest({ about, feed, perClient, cheaper, againstOne }: Contest): Scenario {
  return {
    about,
    full: { clients: 5_000, seconds: 10, rounds: 5 },
    quick: { clients: 200, seconds: 2, rounds: 1 },
    run: async ({ clients, seconds, rounds, say }) => {
      const starts: (() => Promise<Server>)[] = [
        () => startWeir(feed),
        () => startPeer('plain-write', feed),
        () => startPeer('naive-ws', feed),
        () => startPeer('socket-io', feed),
      ];
      if (againstOne !== undefined) starts.push(() => startWeir(one, { name: 'weir, one 2 KB' }));
      const open = async ({ server, load }: Bench): Promise<void> => {
        say(`connecting ${clients} clients to ${server.name}`);
        await load.open(server, { clients, perClient });
      };
      return withServers(starts, open, async (benches) => {
        const windows = new Map<string, Window[]>(benches.map(({ server }) => [server.name, []]));
        for (let r = 0; r < rounds; r++) {
          for (const bench of benches) {
            const isOne = bench.server.name === 'weir, one 2 KB';
            const window = await measureCost(bench, isOne ? one : feed, isOne ? 1 : perClient, seconds);
            windows.get(bench.server.name)?.push(window);
            say(`round ${r + 1}: ${bench.server.name} ${round(window.perWriteUs)} µs a write`);
          }
        }
        return {
          rows: rowsOf(windows),
          goals: goalsOf(windows, cheaper, againstOne),
          series: seriesOf(windows),
        };
      });
    },
  };
}

async function measureCost(bench: Bench, feed: Feed, perClient: number, seconds: number): Promise<Window> {
  const { server, load } = bench;
  const channels = Math.min(perClient, feed.channels);
  const sentBefore = await sentFrames(server);
  const ticksBefore = await server.ticks();
  const measured = await measureAlone(server, load, seconds);
  const offered = ((await server.ticks()) - ticksBefore) * measured.report.open * channels;
  const sent = (await sentFrames(server)) - sentBefore;
  // A shard that is late merges ticks: only the ticks it sent count.
  const share = isWeir(server) ? Math.min(1, sent / offered) : 1;
  const writes = measured.ticks * measured.report.open * share;
  return {
    measured,
    perWriteUs: (measured.cpuSeconds / writes) * 1e6,
    perMessageUs: (measured.cpuSeconds / (writes * channels * feed.messagesPerTick)) * 1e6,
  };
}

async function sentFrames(server: Server): Promise<number> {
  return isWeir(server) ? growth(new Map(), await scrape(server.admin), 'weir_shard_state_sent_total') : 0;
}

function isWeir(server: Server): server is WeirServer {
  return 'admin' in server;
}

function rowsOf(windows: ReadonlyMap<string, readonly Window[]>): readonly Row[] {
  return [...windows].map(([name, all]) => {
    const of = (read: (window: Window) => number): number => median(all.map(read));
    return {
      server: name,
      open: of(({ measured }) => measured.report.open),
      'µs/write': round(of(({ perWriteUs }) => perWriteUs)),
      'µs/message': round(
        of(({ perMessageUs }) => perMessageUs),
        3,
      ),
      'write, × plain': round(ratio(windows, name, 'plain-write', 'perWriteUs')),
      'message, × weir': round(ratio(windows, name, 'weir', 'perMessageUs')),
      'cpu %': round(
        of(({ measured }) => (measured.cpuSeconds / measured.seconds) * 100),
        1,
      ),
      'load cpu %': round(
        of(({ measured }) => (measured.loadCpuSeconds / measured.seconds) * 100),
        1,
      ),
      'MB/s': round(
        of(({ measured }) => measured.report.bytes / measured.seconds / 1e6),
        1,
      ),
      'RSS MB': round(
        of(({ measured }) => measured.residentMb),
        0,
      ),
      'p50 ms': round(
        of(({ measured }) => measured.p50Ms),
        1,
      ),
      'p99 ms': round(
        of(({ measured }) => measured.p99Ms),
        1,
      ),
    };
  });
}

/** The median of the rounds' ratios: windows next to each other in time are compared. */
function ratio(
  windows: ReadonlyMap<string, readonly Window[]>,
  above: string,
  below: string,
  what: 'perWriteUs' | 'perMessageUs',
): number {
  const divisors = windows.get(below) ?? [];
  return median(
    (windows.get(above) ?? []).map((window, i) => window[what] / (divisors[i]?.[what] ?? Number.NaN)),
  );
}

function goalsOf(
  windows: ReadonlyMap<string, readonly Window[]>,
  cheaper: number | undefined,
  againstOne: number | undefined,
): readonly Goal[] {
  const goals = [
    goal(
      'CPU a write, against the plain write loop',
      ratio(windows, 'weir', 'plain-write', 'perWriteUs'),
      'at most',
      1.25,
    ),
  ];
  if (cheaper !== undefined) {
    for (const peer of ['naive-ws', 'socket-io'])
      goals.push(
        goal(
          `CPU a message of ${peer}, against weir`,
          ratio(windows, peer, 'weir', 'perMessageUs'),
          'at least',
          cheaper,
        ),
      );
  }
  if (againstOne !== undefined) {
    const value = ratio(windows, 'weir', 'weir, one 2 KB', 'perWriteUs');
    goals.push(goal('CPU a write, against one 2 KB message a tick', value, 'at most', againstOne));
  }
  return goals;
}

function seriesOf(windows: ReadonlyMap<string, readonly Window[]>): Readonly<Record<string, readonly Row[]>> {
  return Object.fromEntries(
    [...windows].map(([name, all]) => [
      name,
      all.map(({ perWriteUs, perMessageUs, measured }) => ({
        'µs/write': round(perWriteUs, 3),
        'µs/message': round(perMessageUs, 3),
        'p99 ms': round(measured.p99Ms, 1),
      })),
    ]),
  );
}

export const costOne: Scenario = contest({
  about: 'one 2 KB message a tick of 100 ms, one channel',
  feed: one,
  perClient: 1,
});

export const costTen: Scenario = contest({
  about: 'ten 200 B messages a tick of 100 ms, one channel',
  feed: { tickMs: 100, messagesPerTick: 10, bytes: 200, channels: 1 },
  perClient: 1,
  cheaper: 8,
});

export const costChannels: Scenario = contest({
  about: 'one 200 B message a tick of 500 ms on each of 1,000 channels, 5 a client',
  feed: { tickMs: 500, messagesPerTick: 1, bytes: 200, channels: 1_000 },
  perClient: 5,
  againstOne: 2,
});

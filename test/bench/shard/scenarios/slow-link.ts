// Clients behind 10 KB/s and 100 ms: the age of their newest state over minutes, and whether every critical message
// arrives. The naive loop sends the same messages through the same links at the same time.
import { startShapingProxy } from '@weir/local';
import { Load } from '../load.ts';
import type { LoadReport } from '../load-process.ts';
import type { Feed } from '../peers/feed.ts';
import type { Goal, Row, Scenario } from '../scenario.ts';
import { goal, quantile, round } from '../scenario.ts';
import type { Server } from '../servers.ts';
import { startPeer, startWeir } from '../servers.ts';

/** 10 KB/s and a round trip of 100 ms, behind a proxy that hides what it has taken. */
const link = {
  down: { kbps: 80, delayMs: 50, bufferBytes: 64_000 },
  up: { kbps: 80, delayMs: 50, bufferBytes: 64_000 },
};
const WINDOW_SECONDS = 10;

interface Stream {
  readonly name: string;
  readonly feed: Feed;
}

const streams: readonly Stream[] = [
  // 20 KB/s, which the tick of the mobile pool conflates to 2 KB/s.
  { name: 'one key at 10 Hz', feed: { tickMs: 100, messagesPerTick: 1, bytes: 2_048, channels: 1 } },
  // 22 KB/s that no tick reduces: only conflation across ticks can.
  { name: '100 keys at 1 Hz', feed: { tickMs: 1_000, messagesPerTick: 100, bytes: 200, channels: 1 } },
];

/** One kind of server, with its clients behind their links. */
interface Line {
  readonly stream: string;
  readonly server: Server;
  readonly load: Load;
  readonly windows: LoadReport[];
  readonly close: () => Promise<void>;
}

export const slowLink: Scenario = {
  about: 'clients behind 10 KB/s and 100 ms in the mobile pool, and the naive loop beside it',
  full: { clients: 10, seconds: 600, rounds: 1 },
  quick: { clients: 3, seconds: 30, rounds: 1 },
  run: async ({ clients, seconds, say }) => {
    const lines: Line[] = [];
    try {
      for (const { name, feed } of streams) {
        const env = { WEIR_TICK_MS: '1000' };
        lines.push(
          await openLine(
            name,
            await startWeir(feed, { pool: 'mobile', env, extras: { criticalMs: 1_000 } }),
            clients,
          ),
          await openLine(name, await startPeer('naive-ws', feed), clients),
        );
      }
      say(`${clients} clients on each of ${lines.length} lines`);
      const windows = Math.max(3, Math.round(seconds / WINDOW_SECONDS));
      for (let w = 0; w < windows; w++) {
        const reports = await Promise.all(lines.map(({ load }) => load.measure(seconds / windows)));
        for (const [i, report] of reports.entries()) lines[i]?.windows.push(report);
        const ages = lines.map(
          (line) => `${line.server.name} ${round(quantileOf(line.windows.slice(-1), 0.99), 0)}`,
        );
        say(`window ${w + 1} of ${windows}, p99 in ms: ${ages.join(', ')}`);
      }
      return { rows: lines.map(rowOf), goals: lines.flatMap(goalsOf), series: seriesOf(lines) };
    } finally {
      for (const line of lines) await line.close();
    }
  },
};

async function openLine(stream: string, server: Server, clients: number): Promise<Line> {
  const proxy = await startShapingProxy({ target: { host: '127.0.0.1', port: server.port }, profile: link });
  const load = new Load();
  await load.open(server, { clients, perClient: 1, samples: clients, port: proxy.port });
  server.play(true);
  // Everything before is the way into the steady state.
  await load.measure(5);
  const close = async (): Promise<void> => {
    await load.end();
    await proxy.close();
    await server.stop();
  };
  return { stream, server, load, windows: [], close };
}

function quantileOf(windows: readonly LoadReport[], share: number): number {
  return quantile(
    windows.flatMap(({ stateMs }) => stateMs).sort((a, b) => a - b),
    share,
  );
}

function rowOf({ stream, server, windows }: Line): Row {
  const tenth = Math.max(1, Math.floor(windows.length / 10));
  const sum = (read: (report: LoadReport) => number): number =>
    windows.reduce((all, report) => all + read(report), 0);
  const worst = windows.flatMap(({ worstMs }) => worstMs).sort((a, b) => a - b);
  return {
    stream,
    server: server.name,
    open: windows.at(-1)?.open ?? 0,
    closed: windows.at(-1)?.closed ?? 0,
    'age p50 ms': round(quantileOf(windows, 0.5), 0),
    'age p99 ms': round(quantileOf(windows, 0.99), 0),
    'first tenth p50 ms': round(quantileOf(windows.slice(0, tenth), 0.5), 0),
    'last tenth p50 ms': round(quantileOf(windows.slice(-tenth), 0.5), 0),
    'just before the next p99 ms': round(quantile(worst, 0.99), 0),
    criticals: sum(({ criticals }) => criticals),
    missing: sum(({ holes }) => holes),
    twice: sum(({ repeats }) => repeats),
  };
}

function goalsOf({ stream, server, windows }: Line): readonly Goal[] {
  if (server.name !== 'weir') return [];
  const sum = (read: (report: LoadReport) => number): number =>
    windows.reduce((all, report) => all + read(report), 0);
  return [
    goal(`${stream}: age of the newest state p99, ms`, quantileOf(windows, 0.99), 'at most', 3_000),
    goal(
      `${stream}: critical messages missing or twice`,
      sum(({ holes, repeats }) => holes + repeats),
      'at most',
      0,
    ),
    goal(
      `${stream}: critical messages`,
      sum(({ criticals }) => criticals),
      'at least',
      1,
    ),
    goal(`${stream}: clients that were closed`, windows.at(-1)?.closed ?? Number.NaN, 'at most', 0),
  ];
}

function seriesOf(lines: readonly Line[]): Readonly<Record<string, readonly Row[]>> {
  return Object.fromEntries(
    lines.map(({ stream, server, windows }) => [
      `${stream}, ${server.name}`,
      windows.map((window, i) => ({
        window: i,
        'p50 ms': round(quantileOf([window], 0.5), 0),
        'p99 ms': round(quantileOf([window], 0.99), 0),
      })),
    ]),
  );
}

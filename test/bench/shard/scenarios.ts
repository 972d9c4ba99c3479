// What is measured. Each scenario runs Weir and its peers one after the other under the same load, and answers a table.
import { Load } from './load.ts';
import type { Feed } from './peers/feed.ts';
import { cpuSeconds, residentBytes } from './process-usage.ts';
import type { PeerName, Server } from './servers.ts';
import { startLobby, startPeer, startWeir } from './servers.ts';

/** Scale of a run. */
export interface Scale {
  readonly clients: number;
  readonly seconds: number;
}

/** One line of a table: names to numbers. */
export type Row = Readonly<Record<string, string | number>>;

export type Scenario = (scale: Scale) => Promise<readonly Row[]>;

const WARM_UP_SECONDS = 3;
const CONNECTS_PER_SECOND = 1_000;

interface Measured {
  readonly cpuSeconds: number;
  readonly seconds: number;
  readonly residentMb: number;
  readonly frames: number;
  readonly bytes: number;
  readonly open: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

async function measure(server: Server, load: Load, seconds: number): Promise<Measured> {
  const cpuBefore = cpuSeconds(server.pid);
  const startMs = performance.now();
  const report = await load.measure(seconds);
  const latencies = [...report.latenciesMs].sort((a, b) => a - b);
  return {
    cpuSeconds: cpuSeconds(server.pid) - cpuBefore,
    seconds: (performance.now() - startMs) / 1000,
    residentMb: residentBytes(server.pid) / 1e6,
    frames: report.frames,
    bytes: report.bytes,
    open: report.open,
    p50Ms: at(latencies, 0.5),
    p99Ms: at(latencies, 0.99),
  };
}

function at(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

async function withLoad<T>(
  server: Server,
  { clients, perClient }: { readonly clients: number; readonly perClient: number },
  run: (load: Load) => Promise<T>,
): Promise<T> {
  const load = new Load();
  try {
    const sampleEvery = Math.max(1, Math.floor(clients / 50));
    await load.open(server, { clients, perClient, pace: CONNECTS_PER_SECOND, sampleEvery });
    await new Promise((resolve) => setTimeout(resolve, WARM_UP_SECONDS * 1000));
    return await run(load);
  } finally {
    await load.end();
    await server.stop();
  }
}

const round = (value: number, digits = 2): number => Number(value.toFixed(digits));

/** CPU of the server for one write (client and tick) and for one message, against the peers. */
function cost(feed: Feed, perClient: number): Scenario {
  return async ({ clients, seconds }) => {
    const rows: Row[] = [];
    const peers: readonly PeerName[] = ['plain-write', 'naive-ws', 'socket-io'];
    for (const name of ['weir', ...peers] as const) {
      const server = name === 'weir' ? await startWeir(feed) : await startPeer(name, feed);
      const m = await withLoad(server, { clients, perClient }, (load) => measure(server, load, seconds));
      const writes = (m.open * m.seconds * 1000) / feed.tickMs;
      const messages = writes * feed.messagesPerTick * Math.min(perClient, feed.channels);
      rows.push({
        server: name,
        open: m.open,
        'µs/write': round((m.cpuSeconds / writes) * 1e6),
        'µs/message': round((m.cpuSeconds / messages) * 1e6, 3),
        'cpu %': round((m.cpuSeconds / m.seconds) * 100, 1),
        'MB/s': round(m.bytes / m.seconds / 1e6, 1),
        'RSS MB': round(m.residentMb, 0),
        'p50 ms': round(m.p50Ms, 1),
        'p99 ms': round(m.p99Ms, 1),
      });
    }
    return rows;
  };
}

/** Healthy clients' latency with and without a tenth that stopped reading. */
const stuck: Scenario = async ({ clients, seconds }) => {
  const feed: Feed = { tickMs: 500, messagesPerTick: 1, bytes: 2_048, channels: 1 };
  const rows: Row[] = [];
  for (const name of ['weir', 'naive-ws'] as const) {
    for (const share of [0, 0.1]) {
      const server = name === 'weir' ? await startWeir(feed) : await startPeer(name, feed);
      const m = await withLoad(server, { clients, perClient: 1 }, (load) => {
        if (share > 0) load.stick(clients * share);
        return measure(server, load, seconds);
      });
      rows.push({
        server: name,
        'stuck %': share * 100,
        open: m.open,
        'p50 ms': round(m.p50Ms, 1),
        'p99 ms': round(m.p99Ms, 1),
        'RSS MB': round(m.residentMb, 0),
        'cpu %': round((m.cpuSeconds / m.seconds) * 100, 1),
      });
    }
  }
  return rows;
};

/** Bytes and CPU of the lobby, plain and compressed, as ratios against the plain run beside it. */
const compression: Scenario = async ({ clients, seconds }) => {
  const runs: Measured[] = [];
  for (const compressed of [false, true]) {
    const server = await startLobby(compressed);
    runs.push(await withLoad(server, { clients, perClient: 1 }, (load) => measure(server, load, seconds)));
  }
  const [base] = runs;
  return runs.map((m, i) => ({
    messages: i === 0 ? 'plain' : 'compressed',
    open: m.open,
    'KB/client/s': round(m.bytes / m.seconds / m.open / 1024),
    'cpu %': round((m.cpuSeconds / m.seconds) * 100, 1),
    'bytes, ratio': round(m.bytes / m.seconds / ((base?.bytes ?? 0) / (base?.seconds ?? 1)), 3),
    'cpu, ratio': round(m.cpuSeconds / m.seconds / ((base?.cpuSeconds ?? 0) / (base?.seconds ?? 1))),
  }));
};

/** Memory of connections that get nothing. */
const idle: Scenario = async ({ clients, seconds }) => {
  const feed: Feed = { tickMs: 1_000, messagesPerTick: 0, bytes: 0, channels: 1 };
  const server = await startWeir(feed);
  const before = residentBytes(server.pid);
  const m = await withLoad(server, { clients, perClient: 1 }, (load) => measure(server, load, seconds));
  const perConnection = (m.residentMb * 1e6 - before) / m.open;
  return [
    {
      server: 'weir',
      open: m.open,
      'KB/connection': round(perConnection / 1024),
      'RSS MB': round(m.residentMb, 0),
    },
  ];
};

/** All scenarios by name. */
export const scenarios: Readonly<Record<string, { readonly about: string; readonly run: Scenario }>> = {
  'cost-one': {
    about: 'one 2 KB message a tick of 100 ms, one channel',
    run: cost({ tickMs: 100, messagesPerTick: 1, bytes: 2_048, channels: 1 }, 1),
  },
  'cost-ten': {
    about: 'ten 200 B messages a tick of 100 ms, one channel',
    run: cost({ tickMs: 100, messagesPerTick: 10, bytes: 200, channels: 1 }, 1),
  },
  'cost-channels': {
    about: 'one 200 B message a tick on each of 1,000 channels, 5 a client',
    run: cost({ tickMs: 500, messagesPerTick: 1, bytes: 200, channels: 1_000 }, 5),
  },
  stuck: { about: '2 KB at 2 Hz, with and without a tenth of the clients stuck', run: stuck },
  compression: { about: 'the demo lobby, plain and compressed', run: compression },
  idle: { about: 'memory of connections that get nothing', run: idle },
};

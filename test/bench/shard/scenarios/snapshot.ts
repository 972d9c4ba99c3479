// First snapshots over links from 32 kbit/s to 100 Mbit/s and 10 to 800 ms: the time until one is complete, beside its
// time on the link alone, and the age of critical messages meanwhile. The links are proxies in this process, which
// acknowledge for the client: on real links TCP's own slow start comes on top.
import type { ShapingProxy } from '@weir/local';
import { startShapingProxy } from '@weir/local';
import { WebSocket } from 'ws';
import type { Goal, Row, Scenario } from '../scenario.ts';
import { goal, quantile, round, sleep } from '../scenario.ts';
import type { WeirServer } from '../servers.ts';
import { startWeir } from '../servers.ts';
import { scrape } from '../shard-metrics.ts';

const RATES_KBPS = [32, 256, 1_000, 10_000, 20_000, 100_000];
const RTTS_MS = [10, 100, 300, 600, 800];
const SNAPSHOTS = [
  { channel: 's100k', bytes: 100_000 },
  { channel: 's2m', bytes: 2_000_000 },
  { channel: 's20m', bytes: 20_000_000 },
];
const VALUE_BYTES = 1_000;
const CRITICAL_MS = 200;
/** In the desktop pool, one piece takes longer on a slower link than a client may be silent. */
const SLOWEST_KBPS: Readonly<Record<string, number>> = { mobile: 0, desktop: 256 };
/** At this rate links run one at a time: together they would need more processor than this process has. */
const FAST_KBPS = 50_000;
/** Allowed beside 1.5 times the time on the link. */
const ROUND_TRIPS = 7;
const SHARD_MS = 200;

interface Found {
  readonly rttMs: number;
  readonly kbps: number;
  readonly channel: string;
  readonly idealMs: number;
  readonly tookMs: number;
  readonly agesMs: readonly number[];
  /** Critical messages that did not come once and in order. */
  readonly faults: number;
  readonly closed: number;
}

export const snapshot: Scenario = {
  about: 'snapshots of 100 KB to 20 MB over links of 32 kbit/s to 100 Mbit/s and 10 to 800 ms, in both pools',
  full: { clients: 1, seconds: 60, rounds: 1 },
  quick: { clients: 1, seconds: 1, rounds: 1 },
  run: async ({ seconds, say }) => {
    const rows: Row[] = [];
    const goals: Goal[] = [];
    for (const pool of ['mobile', 'desktop']) {
      const found = await withShard(pool, (server) => measureAll(server, pool, seconds * 1_000, say));
      rows.push(...rowsOf(pool, found));
      goals.push(...goalsOf(pool, found));
    }
    return { rows, goals };
  },
};

async function withShard<T>(pool: string, run: (server: WeirServer) => Promise<T>): Promise<T> {
  const silence = { tickMs: 1_000, messagesPerTick: 0, bytes: 0, channels: 1 };
  const env = {
    WEIR_COMPRESSION: 'false',
    WEIR_PROMOTION: 'false',
    WEIR_DEMOTION: 'false',
    WEIR_TICK_MS: pool === 'mobile' ? '1000' : '100',
  };
  const server = await startWeir(silence, { pool, env });
  let n = 0;
  const criticals = setInterval(() => {
    const text = JSON.stringify({ n: n++, atMs: performance.now(), pad: 'c'.repeat(150) });
    for (const { channel } of SNAPSHOTS) server.nats.publish(`weir.critical.${channel}`, text);
  }, CRITICAL_MS);
  try {
    let keys = 0;
    for (const { channel, bytes } of SNAPSHOTS) {
      for (let key = 0; key < bytes / VALUE_BYTES; key++, keys++)
        server.nats.publish(`weir.state.${channel}.k${key}`, JSON.stringify('v'.repeat(VALUE_BYTES - 12)));
    }
    while ((await scrape(server.admin)).get('weir_shard_state_keys') !== keys) await sleep(200);
    return await run(server);
  } finally {
    clearInterval(criticals);
    await server.stop();
  }
}

async function measureAll(
  server: WeirServer,
  pool: string,
  longestMs: number,
  say: (line: string) => void,
): Promise<readonly Found[]> {
  const found: Found[] = [];
  for (const { channel, bytes } of SNAPSHOTS) {
    for (const kbps of RATES_KBPS) {
      if (kbps < (SLOWEST_KBPS[pool] ?? 0) || (bytes * 8) / kbps > longestMs) continue;
      const measure = (rttMs: number): Promise<Found> => measureOne(server, { kbps, rttMs, channel });
      if (kbps < FAST_KBPS) found.push(...(await Promise.all(RTTS_MS.map(measure))));
      else for (const rttMs of RTTS_MS) found.push(await measure(rttMs));
      say(`${pool}, ${channel} at ${kbps} kbit/s`);
    }
  }
  return found;
}

async function measureOne(
  server: WeirServer,
  { kbps, rttMs, channel }: { readonly kbps: number; readonly rttMs: number; readonly channel: string },
): Promise<Found> {
  const shape = { kbps, delayMs: rttMs / 2, bufferBytes: 64_000_000 };
  const proxy = await startShapingProxy({
    target: { host: '127.0.0.1', port: server.port },
    profile: { down: shape, up: { delayMs: rttMs / 2 } },
  });
  try {
    return await receive(proxy, await server.pathOf([channel]), { kbps, rttMs, channel });
  } finally {
    await proxy.close();
  }
}

/** A client until its snapshot is complete, or until the shard closes it. */
function receive(
  proxy: ShapingProxy,
  path: string,
  link: { readonly kbps: number; readonly rttMs: number; readonly channel: string },
): Promise<Found> {
  return new Promise((resolve, reject) => {
    const ws = new WebSocket(`ws://127.0.0.1:${proxy.port}${path}`, ['weir.v1'], {
      perMessageDeflate: false,
    });
    const agesMs: number[] = [];
    let beganMs = 0;
    let bytes = 0;
    let faults = 0;
    let last: number | undefined;
    const end = (closed: number): void => {
      const tookMs = closed === 0 ? performance.now() - beganMs : Number.POSITIVE_INFINITY;
      ws.terminate();
      resolve({ ...link, idealMs: (bytes * 8) / link.kbps, tookMs, agesMs, faults, closed });
    };
    ws.on('error', reject);
    ws.on('open', () => {
      beganMs = performance.now();
    });
    ws.on('close', (code) => end(code));
    ws.on('message', (data: Buffer) => {
      bytes += data.length;
      const head = data.toString('latin1', 0, 100);
      if (head.startsWith('{"type":"critical"')) {
        const { n, atMs } = JSON.parse(String(data)).data;
        agesMs.push(performance.now() - atMs);
        if (last !== undefined && n !== last + 1) faults++;
        last = n;
      } else if (head.startsWith('{"type":"state"') && !head.includes('"more":true')) end(0);
    });
  });
}

function rowsOf(pool: string, found: readonly Found[]): readonly Row[] {
  return RATES_KBPS.flatMap((kbps) =>
    RTTS_MS.flatMap((rttMs): readonly Row[] => {
      const here = found.filter((one) => one.kbps === kbps && one.rttMs === rttMs);
      if (here.length === 0) return [];
      const times = SNAPSHOTS.map(({ channel }): [string, string | number] => {
        const one = here.find((each) => each.channel === channel);
        return [`${channel} × link`, one === undefined ? '' : round(one.tookMs / one.idealMs)];
      });
      const ages = here.flatMap(({ agesMs }) => agesMs).sort((a, b) => a - b);
      return [
        {
          pool,
          'kbit/s': kbps,
          'RTT ms': rttMs,
          ...Object.fromEntries(times),
          'critical p99 ms': round(quantile(ages, 0.99), 0),
        },
      ];
    }),
  );
}

function goalsOf(pool: string, found: readonly Found[]): readonly Goal[] {
  const roundTrips = found.map(({ tookMs, idealMs, rttMs }) => (tookMs - 1.5 * idealMs - SHARD_MS) / rttMs);
  const large = found.filter(({ idealMs, rttMs }) => idealMs >= 2 * ROUND_TRIPS * rttMs);
  return [
    goal(`${pool}: round trips beside 1.5 × the link`, Math.max(...roundTrips), 'at most', ROUND_TRIPS),
    goal(
      `${pool}: × the link, of snapshots of ${2 * ROUND_TRIPS} round trips and more`,
      Math.max(...large.map(({ tookMs, idealMs }) => tookMs / idealMs)),
      'at most',
      1.5,
    ),
    goal(
      `${pool}: critical messages not once and in order, and closes`,
      found.reduce((sum, { faults, closed }) => sum + faults + (closed === 0 ? 0 : 1), 0),
      'at most',
      0,
    ),
  ];
}

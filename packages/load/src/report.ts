// The output of a run: a line each second, a table or JSON at the end, and the broken limits. Pure.
import type { LoadArguments } from './arguments.ts';
import type { Counts } from './counts.ts';
import type { Histogram } from './histogram.ts';

/** From this lag on, the report shows this process more than the cluster. */
const BUSY_LAG_MS = 100;
const BUSY =
  'weir-load itself was too busy: redirects and ages contain its lag, and the router may take its clients for slow ones; use several machines, or fewer clients';

interface Times {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
  readonly count: number;
}

/** Lag of this process's event loop. */
export interface OwnLag {
  readonly p99: number;
  readonly max: number;
}

export interface Report {
  readonly clients: number;
  readonly arrived: number;
  readonly connected: number;
  readonly pools: Readonly<Record<string, number>>;
  readonly failed: number;
  /** Failed visits by reason. */
  readonly failures: Readonly<Record<string, number>>;
  readonly redirectMs: Times;
  /** Undefined if no stamped message arrived. */
  readonly ageMs: Times | undefined;
  readonly frames: number;
  /** Frames with state, critical or cosmetic messages, without snapshots. */
  readonly updates: number;
  readonly bytes: number;
  /** `bytes` divided by the time that the clients had a stream; undefined if none had. */
  readonly bytesPerClientSecond: number | undefined;
  readonly critical: number;
  readonly gaps: number;
  readonly lost: number;
  readonly doubled: number;
  readonly moves: number;
  readonly closes: Readonly<Record<string, number>>;
  readonly published: number;
  readonly publishFailed: number;
  /** Not published, since the publisher's answers were too slow for the rate. */
  readonly publishMissed: number;
  /** The publisher's last error. */
  readonly publishProblem: string | undefined;
  readonly seconds: number;
  /** How late this process ran what was due. */
  readonly ownLagMs: OwnLag;
  /** The broken limits, as sentences. */
  readonly broken: readonly string[];
}

export function reportOf(
  counts: Counts,
  args: Pick<LoadArguments, 'clients' | 'limits' | 'publish'>,
  seconds: number,
  ownLagMs: OwnLag = { p99: 0, max: 0 },
): Report {
  const { arrived, connected, failed, frames, updates, bytes, critical, gaps, lost, doubled, moves } = counts;
  const { clientSeconds } = counts;
  const report = {
    clients: args.clients,
    arrived,
    connected,
    pools: Object.fromEntries([...counts.pools].sort()),
    failed,
    failures: Object.fromEntries([...counts.failures].sort(([, a], [, b]) => b - a)),
    redirectMs: timesOf(counts.redirectMs),
    ageMs: counts.ageMs.count === 0 ? undefined : timesOf(counts.ageMs),
    frames,
    updates,
    bytes,
    bytesPerClientSecond: clientSeconds === 0 ? undefined : Math.round(bytes / clientSeconds),
    critical,
    gaps,
    lost,
    doubled,
    moves,
    closes: Object.fromEntries(counts.closes),
    published: counts.published,
    publishFailed: counts.publishFailed,
    publishMissed: counts.publishMissed,
    publishProblem: counts.publishProblem,
    seconds,
    ownLagMs,
  };
  return { ...report, broken: brokenLimits(report, args) };
}

function brokenLimits(
  report: Omit<Report, 'broken'>,
  { clients, limits, publish }: Pick<LoadArguments, 'clients' | 'limits' | 'publish'>,
): readonly string[] {
  const over = (what: string, value: number, limit: number | undefined): readonly string[] =>
    limit === undefined || value <= limit ? [] : [`${what} is ${value}, over ${limit}`];
  const { arrived, lost, doubled, ageMs, redirectMs, gaps, failed } = report;
  return [
    ...(arrived < clients ? [`${clients - arrived} clients never came`] : []),
    ...(lost > 0 ? [`${lost} critical messages were lost without a gap`] : []),
    ...(doubled > 0 ? [`${doubled} critical messages came twice`] : []),
    ...(ageMs === undefined && (publish !== undefined || limits.maxAgeP99Ms !== undefined)
      ? ['no published message arrived, so the delivery age is not known']
      : []),
    ...over('delivery age p99 in ms', ageMs?.p99 ?? 0, limits.maxAgeP99Ms),
    ...over('redirect time p99 in ms', redirectMs.p99, limits.maxRedirectP99Ms),
    ...over('gaps', gaps, limits.maxGaps),
    ...over('failed visits', failed, limits.maxFailed),
  ];
}

function timesOf(histogram: Histogram): Times {
  const { count, max } = histogram;
  return { p50: histogram.percentile(0.5), p99: histogram.percentile(0.99), max, count };
}

/** What is new since the last line. */
export interface LastSecond {
  readonly bytesPerSecond: number;
  readonly ageMs: Histogram;
}

/** `1,000 connected (desktop 700, mobile 300), 12 failed, age p50 52 p99 180 ms, 0 gaps, 3 moves, 1.2 MB/s`. */
export function liveText(report: Report, { bytesPerSecond, ageMs }: LastSecond): string {
  const pools = Object.entries(report.pools).map(([pool, count]) => `${pool} ${number(count)}`);
  const age = timesOf(ageMs);
  return [
    `${number(report.connected)} connected${pools.length === 0 ? '' : ` (${pools.join(', ')})`}`,
    ...(report.failed > 0 ? [`${number(report.failed)} failed (${Object.keys(report.failures)[0]})`] : []),
    ...(age.count === 0 ? [] : [`age p50 ${age.p50} p99 ${age.p99} ms`]),
    `${number(report.gaps)} gaps`,
    `${number(report.moves)} moves`,
    `${(bytesPerSecond / 1e6).toFixed(1)} MB/s`,
    ...(isSilent(report) ? ['no message yet'] : []),
  ].join(', ');
}

/** Clients are connected, but no message arrives. */
function isSilent({ arrived, updates }: Report): boolean {
  return arrived > 0 && updates === 0;
}

export function finalText(report: Report): string {
  const { ageMs, redirectMs } = report;
  const times = (of: Times): string => `p50 ${of.p50}, p99 ${of.p99}, max ${of.max} ms (${number(of.count)})`;
  const list = (of: Readonly<Record<string, number>>): string =>
    Object.entries(of)
      .map(([name, count]) => `${name}: ${number(count)}`)
      .join(', ') || 'none';
  const rows: readonly (readonly [string, string])[] = [
    [
      'clients',
      `${number(report.arrived)} of ${number(report.clients)} came, ${number(report.connected)} connected at the end`,
    ],
    ['pools', list(report.pools)],
    ['failed visits', report.failed === 0 ? '0' : `${number(report.failed)} (${list(report.failures)})`],
    ['redirect', redirectMs.count === 0 ? 'not known: no client came' : times(redirectMs)],
    ['delivery age', ageMs === undefined ? 'not known (--publish)' : times(ageMs)],
    [
      'published',
      `${number(report.published)} kept, ${number(report.publishFailed)} not, or without an answer${report.publishProblem === undefined ? '' : ` (${report.publishProblem})`}${report.publishMissed === 0 ? '' : `, ${number(report.publishMissed)} not sent in time`}`,
    ],
    [
      'critical',
      `${number(report.critical)} came, ${number(report.gaps)} gaps, ${number(report.lost)} lost, ${number(report.doubled)} doubled`,
    ],
    ['moves', number(report.moves)],
    ['own lag', `p99 ${report.ownLagMs.p99}, max ${report.ownLagMs.max} ms`],
    ['closes by code', list(report.closes)],
    [
      'received',
      `${number(report.frames)} frames, ${(report.bytes / 1e6).toFixed(1)} MB in ${report.seconds.toFixed(1)} s${report.bytesPerClientSecond === undefined ? '' : `: ${number(report.bytesPerClientSecond)} bytes a client and second`}`,
    ],
  ];
  return [
    ...rows.map(([name, text]) => `${name.padEnd(15)} ${text}`),
    ...(report.arrived === 0
      ? ['no client came: is this the URL of a router, and does the router run?']
      : []),
    ...(isSilent(report) ? [silence(report)] : []),
    ...(report.ownLagMs.p99 > BUSY_LAG_MS ? [BUSY] : []),
    ...report.broken.map((text) => `over a limit: ${text}`),
  ].join('\n');
}

function silence({ publishFailed, published }: Report): string {
  if (publishFailed > 0 && published === 0)
    return 'no message came: the publisher kept none (--publisher, --api-key)';
  return 'no message came: name channels that have a feed (--channels), or publish (--publish 20)';
}

function number(value: number): string {
  return value.toLocaleString('en');
}

// Sums up runs: per link, per client, in total, and against the goals. Pure.

import type { ClientKind } from './client-end.ts';
import type { ProbeLink } from './links.ts';

export interface Run {
  readonly link: ProbeLink;
  readonly client: ClientKind;
  readonly congestion: string;
  readonly outcome: string;
  readonly class: 'fast' | 'slow';
  readonly tookMs: number;
  readonly bytes: number;
  readonly trains: number;
  readonly rttMs?: number;
  readonly kbps?: number;
}

export interface Summary {
  readonly name: string;
  readonly runs: number;
  readonly rightPercent: number;
  readonly falseDesktop: number;
  readonly falseMobile: number;
  readonly medianMs: number;
  readonly p99Ms: number;
  readonly maxMs: number;
  readonly medianBytes: number;
  readonly maxBytes: number;
}

export function summarise(name: string, runs: readonly Run[]): Summary {
  const falseDesktop = runs.filter((run) => run.link.expected === 'slow' && run.class === 'fast').length;
  const falseMobile = runs.filter((run) => run.link.expected === 'fast' && run.class === 'slow').length;
  const judged = runs.filter((run) => run.link.expected !== 'either').length;
  const times = runs.map((run) => run.tookMs);
  const bytes = runs.map((run) => run.bytes);
  return {
    name,
    runs: runs.length,
    rightPercent: judged === 0 ? 100 : (100 * (judged - falseDesktop - falseMobile)) / judged,
    falseDesktop,
    falseMobile,
    medianMs: quantile(times, 0.5),
    p99Ms: quantile(times, 0.99),
    maxMs: quantile(times, 1),
    medianBytes: quantile(bytes, 0.5),
    maxBytes: quantile(bytes, 1),
  };
}

/** One line for progress, while other links are still being measured. */
export function inBrief(s: Summary): string {
  const wrong = `${s.falseDesktop} false desktop, ${s.falseMobile} false mobile`;
  const cost = `${s.medianMs.toFixed(0)} ms, at most ${(s.maxBytes / 1000).toFixed(1)} KB`;
  return `${s.name}: ${s.runs} runs, ${s.rightPercent.toFixed(1)} % right, ${wrong}, ${cost}`;
}

/** The quantile of the values; 0 if there are none. */
export function quantile(values: readonly number[], part: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))] ?? 0;
}

export interface Goal {
  readonly what: string;
  readonly found: string;
  readonly met: boolean;
}

/** The goals that docs/probe.md promises. */
export function goals(runs: readonly Run[]): readonly Goal[] {
  const within = (rttMs: number): Summary =>
    summarise(
      '',
      runs.filter((run) => run.link.rttMs <= rttMs),
    );
  const all = summarise('', runs);
  const near = within(20);
  const usual = within(100);
  const goal = (what: string, found: string, met: boolean): Goal => ({ what, found, met });
  return [
    goal(
      'right outside +-25 % of the thresholds >= 99.5 %',
      `${all.rightPercent.toFixed(2)} %`,
      all.rightPercent >= 99.5,
    ),
    goal('median at RTT <= 20 ms <= 100 ms', `${near.medianMs.toFixed(0)} ms`, near.medianMs <= 100),
    goal('median at RTT <= 100 ms <= 300 ms', `${usual.medianMs.toFixed(0)} ms`, usual.medianMs <= 300),
    goal('bytes <= 40 000', `${all.maxBytes}`, all.maxBytes <= 40_000),
    goal('longest <= 1600 ms', `${all.maxMs.toFixed(0)} ms`, all.maxMs <= 1600),
  ];
}

/** One line a link. */
export function table(runs: readonly Run[]): string {
  const links = [...new Map(runs.map((run) => [run.link.name, run.link])).values()];
  const clients = [...new Set(runs.map((run) => run.client))];
  const congestions = [...new Set(runs.map((run) => run.congestion))];
  const of = (name: string, holds: (run: Run) => boolean): Summary => summarise(name, runs.filter(holds));
  const fast = (run: Run): boolean => run.link.expected === 'fast';
  return [
    header('link'),
    ...links.map((link) =>
      row(
        of(link.name, (run) => run.link.name === link.name),
        link,
      ),
    ),
    '',
    header('by client'),
    ...clients.map((client) => row(of(client, (run) => run.client === client))),
    ...congestions.map((name) => row(of(`server: ${name}`, (run) => run.congestion === name))),
    row(of('fast links', fast)),
    row(of('RTT <= 20', (run) => run.link.rttMs <= 20)),
    row(of('RTT <= 100', (run) => run.link.rttMs <= 100)),
    row(of('all', () => true)),
    '',
    ...goals(runs).map(({ what, found, met }) => `${met ? 'met   ' : 'MISSED'}  ${what}: ${found}`),
  ].join('\n');
}

const COLUMNS = [
  'Mbit/s',
  'RTT',
  'class',
  'runs',
  'right %',
  'f.desk',
  'f.mob',
  'median ms',
  'p99 ms',
  'median KB',
  'max KB',
];

function header(first: string): string {
  return [first.padEnd(18), ...COLUMNS.map((column) => column.padStart(9))].join(' ');
}

function row(s: Summary, link?: ProbeLink): string {
  const cells = [
    link === undefined ? '' : String(Number((link.kbps / 1000).toPrecision(2))),
    link === undefined ? '' : link.rttMs.toFixed(0),
    link?.expected ?? '',
    String(s.runs),
    s.rightPercent.toFixed(s.rightPercent === 100 ? 0 : 2),
    String(s.falseDesktop),
    String(s.falseMobile),
    s.medianMs.toFixed(0),
    s.p99Ms.toFixed(0),
    (s.medianBytes / 1000).toFixed(1),
    (s.maxBytes / 1000).toFixed(1),
  ];
  return [s.name.padEnd(18), ...cells.map((cell) => cell.padStart(9))].join(' ');
}

// What the bench of routing visits: a link, what changes on it meanwhile, and when the client must be in which pool.
import {
  type Expected,
  expectedClass,
  links,
  type ProbeLink,
  randomLinks,
} from '../../harness/netlab/links.ts';

/** A change of a link, so long after the client came. */
export interface Change {
  readonly atMs: number;
  readonly down: string;
  readonly up: string;
}

export interface Visit {
  readonly name: string;
  readonly kind: 'fixed' | 'random' | 'changing';
  readonly down: string;
  readonly up: string;
  readonly kbps: number;
  readonly rttMs: number;
  readonly changes: readonly Change[];
  /** The right class at the end; `stays`: no move at all. */
  readonly expected: Expected;
  readonly feed: Feed;
}

/** `lobby`: two hundred tables that change; `small`: one kilobyte a second. */
export type Feed = 'lobby' | 'small';
const FEEDS: readonly Feed[] = ['lobby', 'small'];

/** Jitter up to this part of the one-way delay: networks on which one measurement is often wrong. */
const RANDOM_JITTER = 0.3;
const CHANGE_MS = 40_000;
const DIP_MS = 20_000;

/** Was in the mobile pool for good before second looks: five links that bench:probe does not have. */
const HARD: readonly [string, string, string, number, number][] = [
  [
    'hspa-plus',
    'rate=3400,delay=70,jit=18,agg=10,q=320',
    'rate=1100,delay=70,jit=18,agg=10,q=120',
    3_400,
    140,
  ],
];

const GOOD = { down: 'rate=12000,delay=35,jit=8,agg=5,q=1000', up: 'rate=12000,delay=35,jit=8,agg=5,q=500' };
const NARROW = { down: 'rate=1000,delay=30,jit=5,q=128', up: 'rate=700,delay=30,jit=5,q=64' };
const HOTEL = { down: 'rate=300,delay=40,jit=20,q=64', up: 'rate=300,delay=20,jit=20,q=64' };
const HALF = { down: 'rate=1500,delay=30,jit=5,q=128', up: 'rate=700,delay=30,jit=5,q=64' };
const FULL = { down: 'rate=3000,delay=30,jit=5,q=128', up: 'rate=1000,delay=30,jit=5,q=64' };

const CHANGING: readonly (Pick<Visit, 'name' | 'down' | 'up' | 'changes' | 'expected'> & {
  readonly kbps: number;
})[] = [
  { name: 'hotel to LTE', ...HOTEL, kbps: 12_000, changes: [{ atMs: CHANGE_MS, ...GOOD }], expected: 'fast' },
  { name: 'LTE to hotel', ...GOOD, kbps: 300, changes: [{ atMs: CHANGE_MS, ...HOTEL }], expected: 'slow' },
  {
    name: 'LTE to 1 Mbit/s',
    ...GOOD,
    kbps: 1_000,
    changes: [{ atMs: CHANGE_MS, ...NARROW }],
    expected: 'slow',
  },
  {
    name: '1 Mbit/s to LTE',
    ...NARROW,
    kbps: 12_000,
    changes: [{ atMs: CHANGE_MS, ...GOOD }],
    expected: 'fast',
  },
  ...[50_000, 70_000, 90_000].flatMap((atMs) => [
    {
      name: `half the rate for 20 s at ${atMs / 1_000} s`,
      ...FULL,
      kbps: 3_000,
      changes: [
        { atMs, ...HALF },
        { atMs: atMs + DIP_MS, ...FULL },
      ],
      expected: 'fast' as const,
    },
    {
      name: `LTE for 20 s at ${atMs / 1_000} s`,
      ...NARROW,
      kbps: 1_000,
      changes: [
        { atMs, ...GOOD },
        { atMs: atMs + DIP_MS, ...NARROW },
      ],
      expected: 'slow' as const,
    },
  ]),
];

export function fixedVisits(names: readonly string[] | undefined): readonly Visit[] {
  const hard = HARD.map(([name, down, up, kbps, rttMs]) => ({
    ...{ name, down, up, kbps, rttMs },
    expected: expectedClass(kbps, rttMs),
  }));
  const all = [...links, ...hard];
  return all
    .filter(({ name }) => names === undefined || names.includes(name))
    .map((link, i) => of(link, 'fixed', i));
}

export function randomVisits(draws: number, seed: number): readonly Visit[] {
  return randomLinks(draws, seed, RANDOM_JITTER).map((link, i) => of(link, 'random', i));
}

export function changingVisits(): readonly Visit[] {
  return FEEDS.flatMap((feed) =>
    CHANGING.map((visit) => ({ ...visit, kind: 'changing' as const, rttMs: 60, feed })),
  );
}

function of({ name, down, up, kbps, rttMs, expected }: ProbeLink, kind: Visit['kind'], i: number): Visit {
  return {
    name,
    kind,
    down,
    up,
    kbps,
    rttMs,
    changes: [],
    expected,
    feed: FEEDS[i % FEEDS.length] ?? 'small',
  };
}

// The links on which the probe is measured, with the right class for each. Rates in kbit/s, delays in ms.
// Sources of the numbers: docs/probe.md. Must never be tuned to the probe.

export type Expected = 'fast' | 'slow' | 'either';

export interface ProbeLink {
  readonly name: string;
  readonly down: string;
  readonly up: string;
  readonly kbps: number;
  /** Round trip, without jitter. */
  readonly rttMs: number;
  readonly expected: Expected;
}

/** The probe's thresholds; within +-25 % of them either class is right. */
const RATE_KBPS = 2000;
const RTT_MS = 270;
const BAND = 0.25;

function link(name: string, down: string, up: string): ProbeLink {
  const value = (spec: string, key: string): number =>
    Number(spec.match(`(?:^|,)${key}=([0-9.]+)`)?.[1] ?? 0);
  const kbps = value(down, 'rate');
  const rttMs = value(down, 'delay') + value(up, 'delay');
  return { name, down, up, kbps, rttMs, expected: expectedClass(kbps, rttMs) };
}

export function expectedClass(kbps: number, rttMs: number): Expected {
  if (kbps < RATE_KBPS * (1 - BAND) || rttMs > RTT_MS * (1 + BAND)) return 'slow';
  return kbps > RATE_KBPS * (1 + BAND) && rttMs < RTT_MS * (1 - BAND) ? 'fast' : 'either';
}

export const links: readonly ProbeLink[] = [
  link('fibre', 'rate=200000,delay=4,jit=0.2,q=500', 'rate=100000,delay=4,jit=0.2,q=500'),
  link('fios', 'rate=20000,delay=2,q=250', 'rate=5000,delay=2,q=100'),
  link('cable', 'rate=50000,delay=9,jit=1,q=250', 'rate=10000,delay=9,jit=1,q=100'),
  link('cable-wpt', 'rate=5000,delay=14,jit=1,q=128', 'rate=1000,delay=14,jit=1,q=64'),
  link('dsl', 'rate=1500,delay=25,jit=1,q=64', 'rate=384,delay=25,jit=1,q=32'),
  link(
    'wifi',
    'rate=40000,delay=4,jit=2,agg=3,loss=0.1,q=200',
    'rate=20000,delay=4,jit=2,agg=3,loss=0.1,q=200',
  ),
  link(
    'wifi-busy',
    'rate=8000,delay=8,jit=10,agg=8,loss=1,q=200',
    'rate=4000,delay=8,jit=10,agg=8,loss=1,q=100',
  ),
  link('5g', 'rate=150000,delay=14,jit=3,agg=1,q=1000', 'rate=20000,delay=14,jit=4,agg=2.5,q=500'),
  link(
    '4g-loadero',
    'rate=100000,delay=45,jit=5,loss=0.2,q=1000',
    'rate=50000,delay=45,jit=15,loss=0.2,q=500',
  ),
  link('lte-good', 'rate=30000,delay=22,jit=4,agg=5,q=1000', 'rate=10000,delay=22,jit=6,agg=5,q=500'),
  link('lte-average', 'rate=12000,delay=35,jit=8,agg=5,q=1000', 'rate=12000,delay=35,jit=8,agg=5,q=500'),
  link('fast-4g', 'rate=9000,delay=30,q=300', 'rate=1500,delay=30,q=100'),
  link(
    'lte-poor',
    'rate=1000,delay=60,jit=40,agg=10,gp=0.01,gr=0.3,gl=0.3,q=500',
    'rate=500,delay=60,jit=40,agg=10,q=100',
  ),
  link('slow-4g', 'rate=1600,delay=75,jit=10,agg=5,loss=0.5,q=300', 'rate=750,delay=75,jit=10,agg=5,q=100'),
  link('3g-wpt', 'rate=1600,delay=150,jit=15,q=200', 'rate=768,delay=150,jit=15,q=100'),
  link('hspa', 'rate=1200,delay=250,jit=50,loss=0.5,q=200', 'rate=1200,delay=250,jit=50,loss=0.5,q=200'),
  link('3g-average', 'rate=780,delay=100,q=100', 'rate=330,delay=100,q=100'),
  link('3g-lossy', 'rate=780,delay=100,loss=1,q=100', 'rate=330,delay=100,loss=1,q=100'),
  link('3g-slow', 'rate=400,delay=200,jit=30,q=64', 'rate=400,delay=200,jit=30,q=64'),
  link('edge', 'rate=240,delay=420,jit=40,loss=1,q=64', 'rate=200,delay=420,jit=40,q=64'),
  link('2g-urban', 'rate=35,delay=650,jit=50,q=32', 'rate=32,delay=650,jit=50,q=32'),
  link('2g-rural', 'rate=20,delay=650,jit=50,loss=2,q=32', 'rate=18,delay=650,jit=50,loss=2,q=32'),
  link('gprs', 'rate=80,delay=650,jit=100,loss=1,q=32', 'rate=20,delay=650,jit=100,loss=1,q=32'),
  link('hotel', 'rate=80,delay=40,jit=20,q=64', 'rate=80,delay=20,jit=20,q=64'),
  link('in-flight', 'rate=1400,delay=75,jit=50,loss=5,q=200', 'rate=300,delay=75,jit=50,loss=5,q=100'),
  link('leo', 'rate=100000,delay=20,jit=6,loss=0.5,q=500', 'rate=15000,delay=20,jit=6,loss=0.5,q=200'),
  link('geo', 'rate=20000,delay=315,jit=5,q=1000', 'rate=3000,delay=315,jit=5,q=300'),
  link('far-fibre', 'rate=100000,delay=100,jit=1,q=500', 'rate=50000,delay=100,jit=1,q=500'),
  link('edge-1.0', 'rate=1000,delay=30,jit=8,loss=0.5,q=128', 'rate=700,delay=30,jit=8,q=64'),
  link('edge-1.4', 'rate=1400,delay=30,jit=2,q=128', 'rate=700,delay=30,jit=2,q=64'),
  link('edge-1.4-bursts', 'rate=1400,delay=30,jit=8,agg=5,q=128', 'rate=700,delay=30,jit=8,agg=5,q=64'),
  link('edge-1.6', 'rate=1600,delay=30,jit=3,q=128', 'rate=800,delay=30,jit=3,q=64'),
  link('edge-2.5', 'rate=2500,delay=30,jit=3,q=128', 'rate=1000,delay=30,jit=3,q=64'),
  link('edge-3.0', 'rate=3000,delay=30,jit=2,q=128', 'rate=1000,delay=30,jit=2,q=64'),
  link(
    'edge-3.0-bursts',
    'rate=3000,delay=30,jit=2,agg=5,loss=0.5,q=128',
    'rate=1000,delay=30,jit=2,agg=5,q=64',
  ),
  link('edge-4.0', 'rate=4000,delay=30,jit=8,loss=0.5,q=128', 'rate=1000,delay=30,jit=8,q=64'),
];

/**
 * Links unknown to the probe's authors: rate and RTT over their whole range, RTT falling with rate, jitter up to 12 %
 * of the RTT, half of them with bursts, half with loss.
 */
export function randomLinks(count: number, seed: number): readonly ProbeLink[] {
  const random = createRandom(seed);
  const between = (low: number, high: number): number => low + random() * (high - low);
  const logBetween = (low: number, high: number): number => Math.exp(between(Math.log(low), Math.log(high)));
  return Array.from({ length: count }, (_, i) => {
    const near = i % 4 === 0;
    const kbps = near
      ? random() < 0.5
        ? between(1000, 1450)
        : between(2600, 5000)
      : logBetween(40, 100_000);
    const slowness = 1 - Math.log(kbps / 40) / Math.log(2500);
    const rttMs = Math.min(700, logBetween(8, 80) * Math.exp(2.2 * slowness));
    const jitter = (rttMs / 2) * between(0, 0.12);
    const bursts = random() < 0.5 ? `,agg=${between(1, 10).toFixed(1)}` : '';
    const losses = ['', '', `,loss=${between(0.1, 2).toFixed(2)}`, ',gp=0.01,gr=0.3,gl=0.3'];
    const loss = losses[Math.floor(random() * losses.length)] ?? '';
    const way = (rate: number): string =>
      `rate=${rate.toFixed(0)},delay=${(rttMs / 2).toFixed(1)},jit=${jitter.toFixed(1)}${bursts}${loss},q=${logBetween(24, 1000).toFixed(0)}`;
    return link(`random-${seed}-${i}`, way(kbps), way(Math.max(20, kbps * between(0.3, 1))));
  });
}

/** Mulberry32: the same links for the same seed. */
function createRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

// Sums up visits of the bench of routing: right at which time, moves, padding. Pure.
import type { Visit } from './visits.ts';

export interface Visited {
  readonly visit: Visit;
  readonly congestion: string;
  /** Every pool that the client was in, with the time of its welcome. */
  readonly pools: readonly { readonly pool: string; readonly atMs: number }[];
  readonly moves: readonly { readonly reason: string; readonly atMs: number }[];
  readonly lost: readonly string[];
  readonly padBytes: number;
}

/** The class at a time: that of the newest pool by then; undefined if it was in none. */
export function classAt({ pools }: Pick<Visited, 'pools'>, atMs: number): 'fast' | 'slow' | undefined {
  const pool = pools.findLast((one) => one.atMs <= atMs)?.pool;
  return pool === undefined ? undefined : pool === 'desktop' ? 'fast' : 'slow';
}

export interface Sum {
  readonly visits: number;
  /** Of those whose class is not a matter of taste. */
  readonly judged: number;
  readonly right: number;
  readonly falseDesktop: number;
}

/** A client that is still in no pool is slow: nothing else could be told yet. */
export function sumAt(all: readonly Visited[], atMs: number): Sum {
  const judged = all.filter(({ visit }) => visit.expected !== 'either');
  const isRight = (one: Visited): boolean => (classAt(one, atMs) ?? 'slow') === one.visit.expected;
  const slow = judged.filter(({ visit }) => visit.expected === 'slow');
  return {
    visits: all.length,
    judged: judged.length,
    right: judged.filter(isRight).length,
    falseDesktop: slow.filter((one) => classAt(one, atMs) === 'fast').length,
  };
}

/** Wilson's 95 % interval of a share, in per cent. */
export function interval(hits: number, of: number): readonly [number, number] {
  if (of === 0) return [0, 100];
  const z = 1.96;
  const p = hits / of;
  const middle = p + (z * z) / (2 * of);
  const spread = z * Math.sqrt((p * (1 - p)) / of + (z * z) / (4 * of * of));
  const scale = 100 / (1 + (z * z) / of);
  return [scale * (middle - spread), scale * (middle + spread)];
}

/** Moves because of the network, a client: of those that were right from the start, and of the others. */
export function movesOf(all: readonly Visited[]): { readonly right: number; readonly wrong: number } {
  const judged = all.filter(({ visit }) => visit.expected !== 'either');
  const wasRight = (one: Visited): boolean => (classAt(one, 2_500) ?? 'slow') === one.visit.expected;
  const mean = (some: readonly Visited[]): number =>
    some.length === 0 ? 0 : some.reduce((sum, { moves }) => sum + moves.length, 0) / some.length;
  return { right: mean(judged.filter(wasRight)), wrong: mean(judged.filter((one) => !wasRight(one))) };
}

const TIMES = [2_500, 30_000, 120_000];

export function table(all: readonly Visited[]): string {
  const lines: string[] = [];
  for (const kind of ['fixed', 'random'] as const) {
    const some = all.filter(({ visit }) => visit.kind === kind);
    if (some.length === 0) continue;
    const end = Math.max(...TIMES);
    for (const atMs of TIMES) {
      const { visits, judged, right, falseDesktop } = sumAt(some, atMs);
      const [low, high] = interval(right, judged);
      const share = judged === 0 ? 100 : (100 * right) / judged;
      lines.push(
        `${kind} ${`${(atMs / 1000).toFixed(atMs < 10_000 ? 1 : 0)} s`.padEnd(6)} ${visits} visits, ${judged} judged, right ${share.toFixed(2)} % (${low.toFixed(2)} to ${high.toFixed(2)}), false desktop ${falseDesktop}`,
      );
    }
    const { right, wrong } = movesOf(some);
    const pad = some.reduce((sum, { padBytes }) => sum + padBytes, 0) / some.length;
    lines.push(
      `${kind} moves a client: ${right.toFixed(3)} of the right, ${wrong.toFixed(2)} of the wrong; padding ${(pad / 1000).toFixed(1)} KB a client`,
    );
    for (const one of some.filter((each) => each.visit.expected !== 'either')) {
      if ((classAt(one, end) ?? 'slow') !== one.visit.expected)
        lines.push(`  wrong at ${end / 1000} s: ${inWords(one)}`);
      else if (one.moves.length > 0) lines.push(`  moved: ${inWords(one)}`);
    }
  }
  for (const one of all.filter(({ visit }) => visit.kind === 'changing'))
    lines.push(`changing: ${changed(one)}`);
  return lines.join('\n');
}

/** Whether it was moved as it should, and how long after the last change. */
export function changed(one: Visited): string {
  const { changes, expected, name, feed } = one.visit;
  const first = changes[0]?.atMs ?? 0;
  const last = changes.at(-1)?.atMs ?? 0;
  const passes = changes.length > 1;
  // A client that was in the wrong pool before may be repaired meanwhile.
  const moved = one.pools.filter(
    ({ pool, atMs }) => atMs > first && (pool === 'desktop') !== (expected === 'fast'),
  );
  const rightAt = one.pools.find(
    ({ pool, atMs }) => atMs > last && (pool === 'desktop') === (expected === 'fast'),
  );
  const right = passes ? moved.length === 0 : classAt(one, last + 120_000) === expected;
  const how = passes
    ? `${moved.length} wrong moves`
    : rightAt === undefined
      ? 'never'
      : `after ${((rightAt.atMs - last) / 1000).toFixed(0)} s`;
  return `${right ? 'right' : 'WRONG'} ${name} (${feed}, ${one.congestion}): ${how}; ${trace(one)}`;
}

function inWords(one: Visited): string {
  const { name, kbps, rttMs, expected, down, feed } = one.visit;
  return `${name} ${Math.round(kbps)} kbit/s ${Math.round(rttMs)} ms ${expected} (${down}; ${feed}, ${one.congestion}): ${trace(one)}`;
}

function trace({ pools, moves, lost, padBytes }: Visited): string {
  const at = (atMs: number): string => (atMs / 1000).toFixed(1);
  const all = [
    ...pools.map(({ pool, atMs }) => ({ atMs, text: pool })),
    ...moves.map(({ reason, atMs }) => ({ atMs, text: reason })),
  ].sort((a, b) => a.atMs - b.atMs);
  const steps = all.map(({ atMs, text }) => `${text} ${at(atMs)}`).join(', ');
  return `${steps}; ${(padBytes / 1000).toFixed(0)} KB${lost.length > 0 ? `; lost: ${lost.join(' ')}` : ''}`;
}

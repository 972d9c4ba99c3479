// The router when all clients reconnect together: it answers each in bounded time, and measures within the byte budget.
// Real processes; the clients are plain `ws` clients of this process.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { SmallCluster } from '../../harness/small-cluster.ts';

const CLIENTS = 1000;
/** Pads for nine clients a second, while a thousand connect. */
const BUDGET_BYTES = 100_000;
/** The probe's deadline for the last client, and time for a busy machine. */
const BOUND_MS = 15_000;

interface Answer {
  readonly code: number;
  readonly pool: string;
  readonly hint?: string;
}

let cluster: SmallCluster;
beforeAll(async () => {
  cluster = await SmallCluster.start({}, { WEIR_PROBE_BYTES_PER_SECOND: String(BUDGET_BYTES) });
  await cluster.shard('desktop', 'desktop-1');
  await cluster.shard('mobile', 'mobile-1');
});
afterAll(() => cluster.stop());

function visit(hint?: string): Promise<Answer> {
  const shown = hint === undefined ? '' : `&hint=${hint}`;
  return new Promise((resolve, reject) => {
    const ws = new WebSocket(`${cluster.routerUrl}/v1/connect?channels=lobby${shown}`, ['weir.v1']);
    let told: Omit<Answer, 'code'> | undefined;
    ws.on('message', (data) => {
      told = JSON.parse(String(data));
    });
    ws.on('error', reject);
    ws.on('close', (code) => {
      if (told === undefined) reject(new Error(`closed with ${code} and no redirect`));
      else resolve({ ...told, code });
    });
  });
}

async function storm(hint?: string): Promise<{ answers: readonly Answer[]; tookMs: number }> {
  const beganMs = performance.now();
  const answers = await Promise.all(Array.from({ length: CLIENTS }, () => visit(hint)));
  return { answers, tookMs: performance.now() - beganMs };
}

/** The values of the router's probe metrics, by series. */
async function probeMetrics(): Promise<ReadonlyMap<string, number>> {
  const text = await (await fetch(`${cluster.router.admin}/metrics`)).text();
  const series = text.matchAll(/^weir_router_(probe\w+(?:\{outcome="\w+"\})?) (\S+)$/gm);
  return new Map([...series].map(([, name, value]) => [String(name), Number(value)]));
}

/** The increase of a series since `before`. */
async function since(before: ReadonlyMap<string, number>): Promise<(name: string) => number> {
  const now = await probeMetrics();
  return (name) => (now.get(name) ?? 0) - (before.get(name) ?? 0);
}

const outcome = (name: string): string => `probes_total{outcome="${name}"}`;

describe(`a storm of ${CLIENTS} clients`, () => {
  it('without hints: all are redirected, measured within the budget, and the rest is counted', async () => {
    const before = await probeMetrics();
    const { answers, tookMs } = await storm();
    expect(answers.every(({ code }) => code === 4001)).toBe(true);
    expect(tookMs).toBeLessThan(BOUND_MS);

    const added = await since(before);
    const counted = ['measured', 'silent', 'closed', 'closedOnPad', 'noBudget', 'skipped'].map((name) =>
      added(outcome(name)),
    );
    expect(counted.reduce((sum, count) => sum + count)).toBe(CLIENTS);
    // Not every unmeasured client lacks budget: if the storm makes round trips long, those decide without a pad.
    expect(added(outcome('noBudget'))).toBeGreaterThan(0);
    expect(added(outcome('measured'))).toBeGreaterThan(0);
    const seconds = 1 + tookMs / 1000; // the bucket's content, and its refill
    // Pings are not charged to the budget: ten bytes each, at most nine a client.
    expect(added('probe_bytes_total')).toBeLessThan(BUDGET_BYTES * seconds + 90 * CLIENTS);
    // Clients without a measurement are in the slowest pool, which is always safe.
    expect(answers.filter(({ pool }) => pool === 'mobile').length).toBeGreaterThanOrEqual(
      added(outcome('noBudget')),
    );
  });

  it('with hints: they cost no bytes, and return to their pools', async () => {
    let known = await visit();
    // The first storm may have emptied the budget.
    for (let tries = 0; known.hint === undefined && tries < 50; tries++) {
      await new Promise((resolve) => setTimeout(resolve, 200));
      known = await visit();
    }
    const before = await probeMetrics();
    const { answers, tookMs } = await storm(known.hint);
    expect(new Set(answers.map(({ code, pool }) => `${code} ${pool}`))).toEqual(
      new Set([`4001 ${known.pool}`]),
    );
    expect(tookMs).toBeLessThan(BOUND_MS);
    const added = await since(before);
    expect(added(outcome('skipped'))).toBe(CLIENTS);
    expect(added('probe_bytes_total')).toBe(0);
  });
});

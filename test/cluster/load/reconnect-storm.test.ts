// The router when all clients come back at once: everybody is answered in bounded time, and the measurements take no
// more bytes than the budget. Real processes; the clients are plain `ws` clients of this one.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { SmallCluster } from '../../harness/small-cluster.ts';

const CLIENTS = 1000;
/** Nine clients' pads a second, where a thousand come. */
const BUDGET_BYTES = 100_000;
/** The probe's deadline for the last of them, and the work on a machine that has more to do. */
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

/** What has been added to a series since `before`. */
async function since(before: ReadonlyMap<string, number>): Promise<(name: string) => number> {
  const now = await probeMetrics();
  return (name) => (now.get(name) ?? 0) - (before.get(name) ?? 0);
}

const outcome = (name: string): string => `probes_total{outcome="${name}"}`;

describe(`a storm of ${CLIENTS} clients`, () => {
  it('that nobody knows: all are sent on, measured within the budget, and the rest is said', async () => {
    const before = await probeMetrics();
    const { answers, tookMs } = await storm();
    expect(answers.every(({ code }) => code === 4001)).toBe(true);
    expect(tookMs).toBeLessThan(BOUND_MS);

    const added = await since(before);
    const counted = ['measured', 'silent', 'closed', 'closedOnPad', 'noBudget', 'skipped'].map((name) =>
      added(outcome(name)),
    );
    expect(counted.reduce((sum, count) => sum + count)).toBe(CLIENTS);
    // Not all of the rest: where the storm itself makes the round trips long, they alone decide, without any pad.
    expect(added(outcome('noBudget'))).toBeGreaterThan(0);
    expect(added(outcome('measured'))).toBeGreaterThan(0);
    const seconds = 1 + tookMs / 1000; // what the bucket held, and what came in
    // Pings are paid for by nobody: they are ten bytes, at most nine a client.
    expect(added('probe_bytes_total')).toBeLessThan(BUDGET_BYTES * seconds + 90 * CLIENTS);
    // Who could not be measured is where nothing can go wrong.
    expect(answers.filter(({ pool }) => pool === 'mobile').length).toBeGreaterThanOrEqual(
      added(outcome('noBudget')),
    );
  });

  it('that were measured before: their hints spare every byte, and they are where they were', async () => {
    let known = await visit();
    // The budget may still be empty from the storm before.
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

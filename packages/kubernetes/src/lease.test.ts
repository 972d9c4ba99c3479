import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { KubeApi, KubeRequest } from './api.ts';
import { KubeApiError, KubeUnreachableError } from './errors.ts';
import { LeaseElection } from './lease.ts';
import { isObject, member, textAt } from './object.ts';

type Fate = 'ok' | 'unheard' | 'answerLost';

/** One lease with optimistic locking; it answers on command. */
class FakeLeases {
  nowMs = 0;
  lease: unknown;
  requests = 0;
  readonly waiting: { readonly sinceMs: number; readonly settle: (fate: Fate) => void }[] = [];
  /** Whether requests wait for `settle`. */
  byHand = false;
  down = false;
  #version = 0;

  api(): KubeApi {
    return {
      request: (one) => this.#request(one),
      stream: () => Promise.reject(new Error('a lease is not watched')),
    };
  }

  candidate(identity: string, skewMs = 0): LeaseElection {
    return new LeaseElection({
      api: this.api(),
      namespace: 'ns',
      name: 'control',
      identity,
      monotonicMs: () => this.nowMs,
      wallMs: () => 1.7e12 + this.nowMs + skewMs,
      random: () => 0.5,
    });
  }

  #request(one: KubeRequest): Promise<unknown> {
    this.requests += 1;
    if (this.down) return Promise.reject(new KubeUnreachableError('away'));
    if (!this.byHand) return new Promise((resolve) => resolve(this.#apply(one)));
    return new Promise((resolve, reject) => {
      this.waiting.push({
        sinceMs: this.nowMs,
        settle: (fate) => {
          if (fate === 'unheard') return reject(new KubeUnreachableError('lost'));
          try {
            const answer = this.#apply(one);
            if (fate === 'ok') resolve(answer);
            else reject(new KubeUnreachableError('answer lost'));
          } catch (error) {
            reject(error);
          }
        },
      });
    });
  }

  #apply({ method, body }: KubeRequest): unknown {
    if (method === 'GET') {
      if (this.lease === undefined) throw new KubeApiError(404, 'not found');
      return structuredClone(this.lease);
    }
    const current = textAt(this.lease, 'metadata', 'resourceVersion');
    if (method === 'POST' && this.lease !== undefined) throw new KubeApiError(409, 'exists');
    if (method === 'PUT' && textAt(body, 'metadata', 'resourceVersion') !== current)
      throw new KubeApiError(409, 'changed');
    this.#version += 1;
    const metadata = isObject(member(body, 'metadata')) ? member(body, 'metadata') : {};
    this.lease = {
      ...(isObject(body) ? body : {}),
      metadata: { ...Object(metadata), resourceVersion: String(this.#version) },
    };
    return structuredClone(this.lease);
  }
}

describe('LeaseElection', () => {
  it('lets the first candidate lead, and no second one', async () => {
    const leases = new FakeLeases();
    const [a, b] = [leases.candidate('a'), leases.candidate('b')];
    await a.attempt();
    await b.attempt();
    expect([a.leading, b.leading, textAt(leases.lease, 'spec', 'holderIdentity')]).toEqual([
      true,
      false,
      'a',
    ]);
  });

  it('lets another one lead 15 s after a kill of the holder, but not earlier', async () => {
    const leases = new FakeLeases();
    const [a, b] = [leases.candidate('a'), leases.candidate('b')];
    await a.attempt();
    await b.attempt();
    leases.nowMs += 10_000;
    expect(a.leading).toBe(false);
    leases.nowMs += 5_000;
    await b.attempt();
    expect(b.leading).toBe(false);
    leases.nowMs += 1;
    await b.attempt();
    expect(b.leading).toBe(true);
    expect(member(leases.lease, 'spec', 'leaseTransitions')).toBe(1);
  });

  it('is released at a stop, so that another one leads at once', async () => {
    const leases = new FakeLeases();
    const [a, b] = [leases.candidate('a'), leases.candidate('b')];
    await a.attempt();
    await b.attempt();
    await a.stop();
    expect(a.leading).toBe(false);
    await b.attempt();
    expect(b.leading).toBe(true);
    await a.attempt();
    expect(textAt(leases.lease, 'spec', 'holderIdentity')).toBe('b');
  });

  it('tolerates clocks that are wrong by a minute (case H9)', async () => {
    const leases = new FakeLeases();
    const [a, b] = [leases.candidate('a', -60_000), leases.candidate('b', 60_000)];
    await a.attempt();
    for (let round = 0; round < 50; round += 1) {
      leases.nowMs += 4_000;
      await b.attempt();
      await a.attempt();
      expect([a.leading, b.leading]).toEqual([true, false]);
    }
  });

  it('renews with one request, and continues after a lost answer', async () => {
    const leases = new FakeLeases();
    const a = leases.candidate('a');
    await a.attempt();
    leases.requests = 0;
    leases.nowMs += 4_000;
    await a.attempt();
    expect(leases.requests).toBe(1);
    leases.down = true;
    leases.nowMs += 4_000;
    await a.attempt();
    expect(a.leading).toBe(true);
    leases.down = false;
    leases.nowMs += 1_500;
    await a.attempt();
    leases.nowMs += 9_999;
    expect(a.leading).toBe(true);
  });

  it('stops leading at once when the lease belongs to another holder', async () => {
    const leases = new FakeLeases();
    const a = leases.candidate('a');
    await a.attempt();
    leases.lease = {
      metadata: { resourceVersion: '77' },
      spec: { holderIdentity: 'z', leaseDurationSeconds: 15 },
    };
    leases.nowMs += 1_000;
    await a.attempt();
    expect(a.leading).toBe(false);
    await a.attempt();
    expect(textAt(leases.lease, 'spec', 'holderIdentity')).toBe('z');
  });

  it('does not wait longer than its own limit for a lease that claims a year', async () => {
    const leases = new FakeLeases();
    leases.lease = {
      metadata: { resourceVersion: '1' },
      spec: { holderIdentity: 'z', leaseDurationSeconds: 3e7 },
    };
    const a = leases.candidate('a');
    await a.attempt();
    leases.nowMs += 120_001;
    await a.attempt();
    expect(a.leading).toBe(true);
  });

  it('never has two leaders, whatever is lost, late or out of order', async () => {
    const step = fc.oneof(
      fc.record({ do: fc.constant('wait' as const), ms: fc.integer({ min: 1, max: 6_000 }) }),
      fc.record({ do: fc.constant('try' as const), who: fc.nat({ max: 2 }) }),
      fc.record({
        do: fc.constant('settle' as const),
        at: fc.nat({ max: 9 }),
        fate: fc.constantFrom<Fate>('ok', 'ok', 'ok', 'unheard', 'answerLost'),
      }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 120 }), async (steps) => {
        const leases = new FakeLeases();
        leases.byHand = true;
        const all = ['a', 'b', 'c'].map((name, index) => leases.candidate(name, index * 60_000));
        const busy = new Set<number>();
        const check = (): void => {
          expect(all.filter((one) => one.leading).length).toBeLessThanOrEqual(1);
        };
        for (const one of steps) {
          if (one.do === 'wait') {
            // In small steps: the client gives up a request after 3 s.
            for (let left = one.ms; left > 0; left -= 500) {
              leases.nowMs += Math.min(500, left);
              const late = leases.waiting.filter(({ sinceMs }) => leases.nowMs - sinceMs >= 3_000);
              for (const request of late) {
                leases.waiting.splice(leases.waiting.indexOf(request), 1);
                request.settle('answerLost');
              }
              await settled();
              check();
            }
          } else if (one.do === 'try' && !busy.has(one.who)) {
            busy.add(one.who);
            void all[one.who]?.attempt().finally(() => busy.delete(one.who));
          } else if (one.do === 'settle') {
            const [request] = leases.waiting.splice(one.at % Math.max(1, leases.waiting.length), 1);
            request?.settle(one.fate);
          }
          await settled();
          check();
        }
      }),
      { numRuns: 200 },
    );
  });
});

/** Runs all promises that can continue. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

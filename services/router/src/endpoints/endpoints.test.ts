import type { KubeApi, KubeStream } from '@weir/kubernetes';
import { describe, expect, it } from 'vitest';
import { entry } from '../fakes/shard-entry.ts';
import { createEndpoints } from './endpoints.ts';

const slice = (shard: string, conditions: object): object => ({
  metadata: { name: `slice-${shard}`, resourceVersion: '1' },
  endpoints: [{ targetRef: { kind: 'Pod', name: shard, uid: shard }, conditions }],
});

interface FakeSlices extends KubeApi {
  tell(event: object): void;
}

/** Lists what it is given, and then streams what it is told. */
function fakeSlices(...items: readonly object[]): FakeSlices {
  let stream: KubeStream | undefined;
  return {
    request: async ({ path, query }) => {
      expect([path, query?.['labelSelector']]).toEqual([
        '/apis/discovery.k8s.io/v1/namespaces/ns/endpointslices',
        'a=b',
      ]);
      return { items, metadata: { resourceVersion: '1' } };
    },
    stream: (one) => {
      stream = one;
      return new Promise((_, reject) =>
        one.signal.addEventListener('abort', () => reject(new Error('over'))),
      );
    },
    tell: (event) => stream?.onEvent(event),
  };
}

describe('the second opinion of a router', () => {
  it('takes shards away that are leaving, while it is fresh', async () => {
    const clock = { nowMs: 0, monotonicMs: () => clock.nowMs };
    const api = fakeSlices(slice('a', { serving: true }), slice('b', { serving: true }));
    const options = { namespace: 'ns', labelSelector: 'a=b', random: () => 0.5 };
    const endpoints = createEndpoints({ api, ...options, clock, onProblem: () => expect.unreachable() });
    const entries = [entry({ shard: 'a' }), entry({ shard: 'b' })];
    const draining = (): readonly boolean[] => endpoints.weigh(entries).map((one) => one.draining);
    expect([endpoints.ageMs, draining()]).toEqual([Number.POSITIVE_INFINITY, [false, false]]);
    endpoints.start();
    // Two requests are a second apart; the clock stands still, so the second comes after a real one.
    await expect.poll(() => endpoints.ageMs, { timeout: 5_000 }).toBe(0);
    await expect
      .poll(
        () => {
          api.tell({ type: 'MODIFIED', object: slice('a', { serving: true, terminating: true }) });
          return draining();
        },
        { timeout: 5_000 },
      )
      .toEqual([true, false]);
    clock.nowMs = 60_001;
    expect(draining()).toEqual([false, false]);
    await endpoints.stop();
  });
});

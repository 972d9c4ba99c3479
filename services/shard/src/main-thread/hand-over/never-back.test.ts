// What a client shows never goes back: whatever it asks for, whenever it asks, wherever it comes back to.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ModelCluster, ModelUser } from '../../fakes/model-cluster.ts';

const CHANNELS = ['a', 'b', 'c'] as const;
const START = [['a'], ['a', 'b'], ['c']] as const;

describe('a client that changes its channels within a tick', () => {
  it('sees no value that is older than its own', () => {
    const cluster = new ModelCluster(1);
    const user = new ModelUser(cluster, cluster.thread(0, 0), ['a']);
    const change = (): void => {
      cluster.publish('a', 'k', false);
      cluster.readAll();
    };
    change();
    cluster.shards[0]?.tick();
    user.settle();
    // All before the next tick; the key changes in between, and each snapshot is asked for like the first.
    for (const other of ['b', 'c']) {
      user.join(other);
      user.settle();
      change();
      user.leave('a');
      user.leave(other);
      user.join('a');
      user.settle();
      expect(user.keys('a')).toEqual(cluster.keys('a'));
    }
    expect(cluster.faults).toEqual([]);
  });
});

const channel = fc.constantFrom(...CHANNELS);
const shard = fc.nat({ max: 1 });
const thread = fc.nat({ max: 1 });
const user = fc.nat({ max: 5 });
const key = fc.nat({ max: 20 }).map((n) => `k${n}`);
const step = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({ do: fc.constant('publish' as const), channel, key, deletes: fc.nat({ max: 9 }) }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('read' as const), shard, count: fc.nat({ max: 9 }) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('tick' as const), shard }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('forget' as const, 'sweep' as const), shard }) },
  {
    weight: 12,
    arbitrary: fc.record({
      do: fc.constantFrom('hear' as const, 'tell' as const, 'flow' as const),
      shard,
      thread,
    }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('pong' as const), user }) },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constantFrom('join' as const, 'leave' as const), user, channel }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constantFrom('comeBack' as const, 'move' as const), user, shard, thread }),
  },
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

/** Two shards with two threads each, one stream, and six clients. */
class Scene {
  readonly cluster = new ModelCluster(2);
  readonly users: readonly ModelUser[] = [0, 1].flatMap((of) =>
    START.map((channels, i) => new ModelUser(this.cluster, this.cluster.thread(of, i % 2), channels)),
  );

  run(one: Step): void {
    const { cluster } = this;
    if (one.do === 'publish') cluster.publish(one.channel, one.key, one.deletes === 0);
    else if (one.do === 'read') cluster.read(one.shard, one.count);
    else if ('user' in one) this.#runUser(one);
    else if ('thread' in one) cluster.thread(one.shard, one.thread)[one.do]();
    else this.#runShard(one.do, one.shard);
  }

  #runShard(what: 'tick' | 'forget' | 'sweep', shardAt: number): void {
    const main = this.cluster.shards[shardAt];
    if (what === 'sweep') for (const { fanOut } of main?.threads ?? []) fanOut.sweep();
    else main?.[what]();
    if (main !== undefined) main.nowMs += 50;
  }

  #runUser(one: Extract<Step, { readonly user: number }>): void {
    const of = this.users[one.user];
    if (one.do === 'pong') of?.hear();
    else if ('channel' in one) of?.[one.do](one.channel);
    else of?.[one.do](this.cluster.thread(one.shard, one.thread));
  }

  /** Everything is read, told and heard. */
  end(): void {
    const { cluster, users } = this;
    cluster.readAll();
    for (const main of cluster.shards) main.tick();
    for (const one of users) one.settle();
    for (const main of cluster.shards) {
      main.settle();
      main.nowMs += 1_000;
      for (const { fanOut } of main.threads) fanOut.sweep();
      main.settle();
    }
  }
}

const steps = fc.array(step, { maxLength: 300, size: 'max' });

describe('clients of two shards that read one stream, in any order of events', () => {
  it('see only rising versions of a key, and finally the newest ones', () => {
    fc.assert(
      fc.property(steps, (all) => {
        const scene = new Scene();
        for (const one of all) scene.run(one);
        scene.end();
        expect(scene.cluster.faults).toEqual([]);
        for (const one of scene.users)
          for (const name of one.channels) expect(one.keys(name)).toEqual(scene.cluster.keys(name));
      }),
      { numRuns: 150 },
    );
  }, 120_000);

  it('get every missing key on either shard, from each position that they ever received', () => {
    fc.assert(
      fc.property(steps, fc.nat(), shard, (all, nth, at) => {
        const scene = new Scene();
        for (const one of all) scene.run(one);
        const { cluster } = scene;
        const given = scene.users.flatMap((one) => one.given);
        const back = given[nth % Math.max(1, given.length)];
        if (back === undefined) return;
        // No tick from here on: the catch-up alone must bring all.
        const to = cluster.thread(at, 0);
        const connection = to.connect(back.channels, false, back.position);
        const client = to.clients.get(connection);
        for (const [name, keys] of back.keys) client?.state.set(name, new Map(keys));
        to.settle();
        cluster.readAll();
        to.settle();
        for (const name of back.channels) expect(client?.keys(name)).toEqual(cluster.keys(name));
      }),
      { numRuns: 150 },
    );
  }, 120_000);
});

// The rebalancer as a process with a real NATS server: it asks overfull shards to shed at a limited pace, and leaves
// balanced shards alone. The shards here only send beats and answers.
import { connect } from '@nats-io/transport-node';
import { decodeShedRequest, encodeBeat, encodeShedAnswer } from '@weir/fleet';
import { beatOf } from '@weir/fleet/fakes';
import { createSubjects } from '@weir/protocol';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Service } from '../../harness/small-cluster.ts';
import { metric, SmallCluster, until } from '../../harness/small-cluster.ts';

const subjects = createSubjects('weir');
const load = new Map([
  ['d1', 300],
  ['d2', 300],
  ['d3', 0],
]);
const asked: { readonly shard: string; readonly moves: number; readonly atMs: number }[] = [];

let cluster: SmallCluster;
let control: Service;
let end: () => Promise<void>;

beforeAll(async () => {
  cluster = await SmallCluster.start();
  const nats = await connect({ servers: cluster.nats.url });
  const beat = (): void => {
    for (const [shard, connections] of load)
      nats.publish(
        subjects.beat('desktop', shard),
        encodeBeat(beatOf(shard, { connections, capacity: 10_000, wallMs: Date.now() })),
      );
  };
  const beats = setInterval(beat, 1_000);
  for (const shard of load.keys())
    nats.subscribe(subjects.shed(shard), {
      callback: (_, message) => {
        const request = decodeShedRequest(message.data);
        if (request === undefined) return;
        asked.push({ shard, moves: request.moves, atMs: performance.now() });
        load.set(shard, (load.get(shard) ?? 0) - request.moves);
        load.set('d3', (load.get('d3') ?? 0) + request.moves);
        message.respond(encodeShedAnswer({ accepted: request.moves }));
      },
    });
  end = async () => {
    clearInterval(beats);
    await nats.close();
  };
  control = await cluster.control({
    WEIR_REBALANCE_COOL_DOWN_MS: '2000',
    WEIR_REBALANCE_WITHIN_MS: '1000',
    WEIR_REBALANCE_MOVES_PER_SECOND: '100',
  });
});
afterAll(async () => {
  await end?.();
  await cluster?.stop();
});

describe('a control without Kubernetes', () => {
  it('is ready, leads, and has no metrics API', async () => {
    const body: unknown = await (await fetch(`${control.admin}/readyz`)).json();
    expect(body).toMatchObject({ ready: true, info: { leading: true, kubernetes: false } });
    expect(control.url).toBe(control.admin);
  });

  it('balances the shards at its limited pace, and then leaves them alone', async () => {
    await until(
      () => Math.max(...load.values()) - Math.min(...load.values()) <= 3,
      'the shards are balanced',
      60_000,
    );
    expect([...load.values()].reduce((sum, one) => sum + one, 0)).toBe(600);
    const busiest = asked.map(({ atMs }) =>
      asked
        .filter((one) => one.atMs >= atMs && one.atMs < atMs + 900)
        .reduce((sum, { moves }) => sum + moves, 0),
    );
    // The limit of so small a pool is twenty a second.
    expect(Math.max(...busiest)).toBeLessThanOrEqual(40);
    const total = asked.length;
    const series = 'weir_control_rebalance_rounds_total{pool="desktop",outcome="balanced"}';
    await until(async () => (await metric(control, series)) > 0, 'the rebalance is over', 20_000);
    expect(asked).toHaveLength(total);
    expect(await metric(control, 'weir_control_moves_asked_total')).toBe(200);
    expect(await metric(control, 'weir_control_moves_accepted_total')).toBe(200);
  });
});

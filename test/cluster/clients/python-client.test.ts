// A client in another language, with another WebSocket library, written from docs/protocol.md alone, on a real cluster:
// redirect, snapshot, updates, critical in order, resume, move.
import type { NatsConnection } from '@nats-io/transport-node';
import { connect as connectNats } from '@nats-io/transport-node';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { end } from '../../harness/end.ts';
import { whyNoPython } from '../../harness/programs/python.ts';
import { StrangerClient } from '../../harness/programs/stranger-client.ts';
import { SmallCluster, until } from '../../harness/small-cluster.ts';

const reason = whyNoPython();
const suffix = reason === undefined ? '' : ` (skipped: ${reason})`;

describe.skipIf(reason !== undefined)(`a Python client written from docs/protocol.md${suffix}`, () => {
  let cluster: SmallCluster;
  let nats: NatsConnection;
  let client: StrangerClient | undefined;

  beforeAll(async () => {
    cluster = await SmallCluster.start();
    await cluster.shard('desktop', 'desktop-1');
    await cluster.shard('mobile', 'mobile-1');
    nats = await connectNats({ servers: cluster.nats.url });
  });
  afterEach(async () => {
    await client?.stop();
    client = undefined;
  });
  afterAll(async () => {
    await nats?.close();
    await cluster?.stop();
  });

  async function open(channel: string, env: Readonly<Record<string, string>> = {}): Promise<StrangerClient> {
    const opened = new StrangerClient(cluster.routerUrl, [channel], env);
    client = opened;
    await says(opened, () => opened.state(channel) !== undefined, 'the snapshot');
    return opened;
  }

  /** Waits for a condition; on failure prints the client's errors and output. */
  async function says(who: StrangerClient, holds: () => boolean, what: string, ms = 30_000): Promise<void> {
    await until(holds, what, ms).catch((error: unknown) => {
      throw new Error(`${what}: ${who.errors} ${JSON.stringify(who.said.slice(-20))}`, { cause: error });
    });
  }

  it('is measured, redirected, and gets snapshots of all sizes', async () => {
    const big = 'x'.repeat(10_000);
    for (let i = 0; i < 8; i++) nats.publish(`weir.state.py-big.k${i}`, JSON.stringify({ i, big }));
    nats.publish('weir.state.py-big.__proto__', '1');
    await nats.flush();
    const fast = await open('py-big');
    await says(fast, () => Object.keys(Object(fast.state('py-big'))).length === 9, 'all keys');
    expect(fast.last('redirect')).toMatchObject({ pool: 'desktop' });
    expect(fast.last('welcome')).toMatchObject({ shard: 'desktop-1', pool: 'desktop', resumed: false });
    expect(fast.of('state')[0]).toMatchObject({ snapshot: true });
    await fast.stop();
    const slow = await open('py-big', { WEIR_CLASS: 'mobile' });
    expect(slow.last('welcome')).toMatchObject({ shard: 'mobile-1', pool: 'mobile' });
  });

  it('gets changes in all lanes, and subscribes', async () => {
    const opened = await open('py-lanes');
    nats.publish('weir.state.py-lanes.a', '{"n":1}');
    nats.publish('weir.state.py-lanes.b', '2');
    nats.publish('weir.state.py-lanes.a', '');
    for (let i = 0; i < 50; i++) nats.publish('weir.critical.py-lanes', String(i));
    await says(opened, () => opened.ids('py-lanes').length === 50, 'all critical messages');
    expect(opened.of('critical').map((one) => one['data'])).toEqual(Array.from({ length: 50 }, (_, i) => i));
    await says(opened, () => JSON.stringify(opened.state('py-lanes')) === '{"b":2}', 'the state');
    nats.publish('weir.cosmetic.py-lanes', '{"e":"coins"}');
    await says(opened, () => opened.of('cosmetic').length === 1, 'the cosmetic message');
    nats.publish('weir.state.py-more.k', 'true');
    opened.do('subscribe', 'py-more');
    await says(opened, () => JSON.stringify(opened.state('py-more')) === '{"k":true}', 'the other channel');
    opened.do('unsubscribe', 'py-more');
    opened.do('close');
    expect(await opened.exited).toBe(0);
  });

  it('resumes after its connection is cut: loses nothing, repeats no id, is not measured again', async () => {
    const opened = await open('py-cut');
    const send = (from: number, to: number): void => {
      for (let i = from; i < to; i++) nats.publish('weir.critical.py-cut', String(i));
      nats.publish('weir.state.py-cut.n', String(to));
    };
    send(0, 10);
    await says(opened, () => opened.ids('py-cut').length === 10, 'the first messages');
    for (let round = 1; round <= 3; round++) {
      opened.do('cut');
      await says(opened, () => opened.of('end').length === round, 'the end');
      send(round * 10, round * 10 + 10);
      await says(opened, () => opened.of('welcome').length === round + 1, 'the next welcome', 45_000);
      await says(opened, () => opened.ids('py-cut').length === round * 10 + 10, 'what was missed');
      expect(opened.last('welcome')).toMatchObject({ resumed: true });
      await says(
        opened,
        () => JSON.stringify(opened.state('py-cut')) === `{"n":${round * 10 + 10}}`,
        'the state',
      );
    }
    expect(opened.of('critical').map((one) => one['data'])).toEqual(Array.from({ length: 40 }, (_, i) => i));
    expect(opened.of('state').filter((one) => one['snapshot'] === true)).toHaveLength(1);
    expect(opened.of('gap')).toEqual([]);
    // A client with a hint shows it at every later visit.
    const visits = opened.of('redirect');
    const given = visits.findIndex((one) => one['hint'] === true);
    expect(visits.map((one) => one['hinted'])).toEqual(visits.map((_, i) => given >= 0 && i > given));
    // The router gives a hint after a measurement, and does not measure a client that shows one.
    if (given >= 0) expect(visits.slice(given + 1).filter((one) => one['hint'] === true)).toEqual([]);
  });

  it('moves without a break when its shard stops, and survives the kill of the next', async () => {
    const doomed = await cluster.shard('desktop', 'desktop-2', { WEIR_REVISION: 'r2' });
    const opened = await open('py-move');
    expect(opened.last('welcome')).toMatchObject({ shard: 'desktop-2' });
    let sent = 0;
    const feed = setInterval(() => nats.publish('weir.critical.py-move', String(sent++)), 20);
    try {
      const next = await cluster.shard('desktop', 'desktop-3', { WEIR_REVISION: 'r3' });
      await end(doomed.process, 'SIGTERM');
      await says(opened, () => opened.of('welcome').length === 2, 'the move');
      expect(opened.last('welcome')).toMatchObject({ shard: 'desktop-3', moved: true, resumed: true });
      expect(opened.of('end')).toEqual([]);
      await end(next.process, 'SIGKILL');
      await says(opened, () => opened.last('welcome')?.['shard'] === 'desktop-1', 'the way back', 60_000);
      expect(opened.last('welcome')).toMatchObject({ moved: false, resumed: true });
    } finally {
      clearInterval(feed);
    }
    await says(opened, () => opened.of('critical').at(-1)?.['data'] === sent - 1, 'the last message');
    const got = opened.of('critical').map((one) => Number(one['data']));
    const [first = 0] = got;
    expect(got).toEqual(Array.from({ length: sent - first }, (_, i) => first + i));
    expect(opened.of('gap')).toEqual([]);
    expect(opened.errors).toBe('');
  });

  it('stops on codes that end in `stop`', async () => {
    client = new StrangerClient(cluster.routerUrl, ['no..channel']);
    expect(await client.exited).toBe(0);
    expect(client.said).toEqual([{ event: 'end', stage: 'router', code: 4501 }]);
  });
});

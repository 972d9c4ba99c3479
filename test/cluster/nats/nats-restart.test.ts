// NATS stops and restarts: acknowledged messages reach every client once and in order.
import type { NatsConnection } from '@nats-io/transport-node';
import { connect as connectNats } from '@nats-io/transport-node';
import { connect } from '@weir/client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { BareClient } from '../../harness/bare-client.ts';
import { publishUntilKept } from '../../harness/publish-until-kept.ts';
import { SmallCluster, until } from '../../harness/small-cluster.ts';

let cluster: SmallCluster;
let nats: NatsConnection;

beforeAll(async () => {
  cluster = await SmallCluster.start();
  await cluster.shard('desktop', 'desktop-1');
  await cluster.shard('mobile', 'mobile-1');
  nats = await connectNats({ servers: cluster.nats.url, maxReconnectAttempts: -1, reconnectTimeWait: 100 });
});

afterAll(async () => {
  await nats.close();
  await cluster.stop();
});

const keep = (subject: string, value: string, id: string): Promise<number> =>
  publishUntilKept(nats, { subject, value, id }, { ackMs: 1_000, deadlineMs: 30_000 });

describe('critical messages', () => {
  it.each(['SIGKILL', 'SIGTERM'] as const)(
    'arrive once and in order through a restart of NATS by %s',
    async (signal) => {
      const channel = `through-${signal}`;
      const bare = [
        await BareClient.connect(cluster.routerUrl, `channels=${channel}`),
        await BareClient.connect(cluster.routerUrl, `channels=${channel}&class=mobile`),
      ];
      const weir = connect({ url: cluster.routerUrl, channels: [channel], WebSocket });
      const bySdk: unknown[] = [];
      const gaps: unknown[] = [];
      weir.channel(channel).on('critical', ({ data }) => bySdk.push(data));
      weir.channel(channel).on('gap', (gap) => gaps.push(gap));
      await until(() => bare.every((client) => client.of('state').length > 0), 'both are served');
      await until(() => weir.status === 'open', 'the SDK is served');

      let restarted: Promise<void> | undefined;
      const sent: number[] = [];
      let afterRestart = 0;
      let isBack = false;
      for (let i = 0; afterRestart < 50; i++) {
        await keep(`weir.critical.${channel}`, String(i), `${channel}-${i}`);
        await keep(`weir.state.${channel}.n`, String(i), `${channel}-n-${i}`);
        sent.push(i);
        if (i === 100) {
          restarted = cluster.nats
            .kill(signal)
            .then(() => cluster.nats.restart())
            .then(() => {
              isBack = true;
            });
        }
        if (isBack) afterRestart++;
      }
      await restarted;
      const last = sent.at(-1);
      await until(() => bySdk.at(-1) === last, 'the SDK has the last message');
      for (const client of bare) {
        await until(() => client.of('critical').at(-1)?.message['data'] === last, 'it has the last message');
        await until(() => client.state.get('n') === String(last), 'it has the newest value');
        expect(client.of('critical').map(({ message }) => message['data'])).toEqual(sent);
        expect([...client.ids].sort((a, b) => a - b)).toEqual(client.ids);
        expect(client.of('gap')).toEqual([]);
        expect(client.closed).toBeUndefined();
        client.close();
      }
      expect(bySdk).toEqual(sent);
      expect(gaps).toEqual([]);
      weir.close();
    },
  );
});

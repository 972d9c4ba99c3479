// NATS servers that are gone, or that advertise addresses which cannot be reached.
import { jetstream } from '@nats-io/jetstream';
import { connect as connectNats } from '@nats-io/transport-node';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { BareClient } from '../../harness/bare-client.ts';
import { metric, SmallCluster, until } from '../../harness/small-cluster.ts';

let cluster: SmallCluster;

beforeAll(async () => {
  // The port is closed: a service that trusts the address never reconnects.
  cluster = await SmallCluster.start({}, {}, ['client_advertise: "127.0.0.1:1"']);
});

afterAll(() => cluster.stop());

it('every service is back on the configured URL within 10 s of a restart (case B9)', async () => {
  const gone = 'nats://127.0.0.1:1';
  const servers = `${gone},nats://localhost:${cluster.nats.port},${gone.replace('1:1', '1:2')}`;
  const shards = [
    await cluster.shard('desktop', 'one-address'),
    await cluster.shard('mobile', 'three-addresses', { WEIR_NATS_URL: servers }),
  ];
  const clients = [
    await BareClient.connect(cluster.routerUrl, 'channels=lobby'),
    await BareClient.connect(cluster.routerUrl, 'channels=lobby&class=mobile'),
  ];
  await until(() => clients.every((client) => client.of('state').length > 0), 'both are served');
  for (let round = 1; round <= 2; round++) {
    await cluster.nats.kill();
    for (const service of [...shards, cluster.router]) {
      await until(async () => (await metric(service, 'weir_nats_connected')) === 0, 'it has noticed');
    }
    await cluster.nats.restart();
    const backMs = performance.now();
    for (const service of [...shards, cluster.router]) {
      await until(async () => (await metric(service, 'weir_nats_connected')) === 1, 'it is back', 10_000);
    }
    expect(performance.now() - backMs).toBeLessThan(10_000);
    const nats = await connectNats({ servers: cluster.nats.url, ignoreClusterUpdates: true });
    await jetstream(nats).publish('weir.critical.lobby', String(round));
    await nats.close();
    await until(() => clients.every(({ ids }) => ids.length === round), 'both have the message', 10_000);
  }
  for (const client of clients) {
    expect(client.closed).toBeUndefined();
    client.close();
  }
});

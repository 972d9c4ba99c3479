// Router and shard on IPv6 and IPv4, and a shard with an IPv6 address.
import { networkInterfaces } from 'node:os';
import { expect, it } from 'vitest';
import { BareClient } from '../../harness/bare-client.ts';
import { freePort } from '../../harness/free-port.ts';
import { SmallCluster, until } from '../../harness/small-cluster.ts';

const hasIpv6 = Object.values(networkInterfaces()).some((list) =>
  list?.some(({ address }) => address === '::1'),
);

it.skipIf(!hasIpv6)('clients of both families connect, and URLs keep their brackets (case G4)', async () => {
  const cluster = await SmallCluster.start({ WEIR_HOST: '::' });
  try {
    const port = await freePort('::');
    await cluster.shard('desktop', 'desktop-1', { WEIR_PORT: port, WEIR_PUBLIC_URL: `ws://[::1]:${port}` });
    const { port: routerPort } = new URL(cluster.routerUrl);
    for (const host of ['[::1]', '127.0.0.1']) {
      const client = await BareClient.connect(`ws://${host}:${routerPort}`, 'channels=lobby');
      expect(String(client.redirect['url'])).toContain(`ws://[::1]:${port}/v1/stream?ticket=`);
      await until(() => client.of('state').length > 0, `it is served by ${host}`);
      client.close();
    }
  } finally {
    await cluster.stop();
  }
});

// Router and shard on IPv6 and IPv4 at once, and a shard that tells an IPv6 address.
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { networkInterfaces } from 'node:os';
import { expect, it } from 'vitest';
import { BareClient } from '../harness/bare-client.ts';
import { SmallCluster, until } from '../harness/small-cluster.ts';

const hasIpv6 = Object.values(networkInterfaces()).some((list) =>
  list?.some(({ address }) => address === '::1'),
);

/** A port that is free on all addresses at this moment. */
async function freePort(): Promise<string> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '::', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return String(port);
}

it.skipIf(!hasIpv6)('clients of both come in, and URLs keep their brackets (case G4)', async () => {
  const cluster = await SmallCluster.start({ WEIR_HOST: '::' });
  try {
    const port = await freePort();
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

// A shard is killed and restarted with its name and address: it has forgotten which tickets were used, so it must
// accept no ticket from before.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BareClient } from '../../harness/bare-client.ts';
import { end } from '../../harness/end.ts';
import { freePort } from '../../harness/free-port.ts';
import type { Service } from '../../harness/small-cluster.ts';
import { SmallCluster, until } from '../../harness/small-cluster.ts';

let cluster: SmallCluster;
let port: string;

beforeAll(async () => {
  cluster = await SmallCluster.start();
  port = await freePort();
});

afterAll(async () => {
  await cluster?.stop();
});

const start = (): Promise<Service> => cluster.shard('desktop', 'desktop-0', { WEIR_PORT: port });

async function closeOf(url: string): Promise<number | undefined> {
  const client = BareClient.open(url);
  await until(() => client.closed !== undefined || client.of('welcome').length > 0, 'it is answered');
  client.close();
  return client.closed;
}

describe('a ticket', () => {
  it('that was used opens no stream on the same shard after a restart; the router issues a new one', async () => {
    const shard = await start();
    const client = await BareClient.connect(cluster.routerUrl, 'channels=lobby');
    await until(() => client.of('welcome').length > 0, 'it is served');
    const url = String(client.redirect['url']);
    expect(await closeOf(url)).toBe(4003);
    await end(shard.process, 'SIGKILL');
    await start();
    expect(await closeOf(url)).toBe(4003);
    await until(async () => {
      const back = await BareClient.connect(cluster.routerUrl, 'channels=lobby');
      await until(() => back.closed !== undefined || back.of('welcome').length > 0, 'it is answered');
      back.close();
      return back.of('welcome').length > 0;
    }, 'a client that comes by the router is served');
  });
});

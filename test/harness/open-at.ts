// Opens a stream on one shard without a visit to the router.
import { BareClient } from './bare-client.ts';
import type { Service, SmallCluster } from './small-cluster.ts';
import { streamUrl } from './stream-url.ts';

export async function openAt(
  cluster: SmallCluster,
  at: { readonly pool: string; readonly id: string; readonly service: Service },
  channels: readonly string[],
  resume?: string,
): Promise<BareClient> {
  const url = await streamUrl(cluster, { pool: at.pool, shard: at.id, url: at.service.url, channels });
  return BareClient.open(resume === undefined ? url : `${url}&resume=${resume}`);
}

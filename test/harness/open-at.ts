// Opens a stream on one shard, past the router, with a ticket of our own.
import { randomBytes } from 'node:crypto';
import { issueTicket, parseTicketKeys } from '@weir/protocol';
import { BareClient } from './bare-client.ts';
import type { Service, SmallCluster } from './small-cluster.ts';

const TICKET_MS = 30_000;

export async function openAt(
  cluster: SmallCluster,
  at: { readonly pool: string; readonly id: string; readonly service: Service },
  channels: readonly string[],
  resume?: string,
): Promise<BareClient> {
  const [key] = parseTicketKeys(cluster.ticketKeys);
  if (key === undefined) throw new Error('there is no key');
  const id = randomBytes(12).toString('base64url');
  const ticket = { id, pool: at.pool, shard: at.id, channels, allow: channels, denied: [], tls: false };
  const token = await issueTicket(ticket, { key, nowMs: Date.now(), ttlMs: TICKET_MS });
  const position = resume === undefined ? '' : `&resume=${resume}`;
  return BareClient.open(`${at.service.url}/v1/stream?ticket=${token}${position}`);
}

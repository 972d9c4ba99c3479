// A stream URL with a ticket of the test's own, to reach one shard without a router.
import { randomBytes } from 'node:crypto';
import { issueTicket, parseTicketKeys } from '@weir/protocol';
import type { SmallCluster } from './small-cluster.ts';

const TICKET_MS = 30_000;

export async function streamUrl(
  cluster: Pick<SmallCluster, 'ticketKeys'>,
  to: {
    readonly pool: string;
    readonly shard: string;
    /** URL of the shard. */
    readonly url: string;
    readonly channels: readonly string[];
    /** Channels that the client may subscribe to; `channels` if absent. */
    readonly allow?: readonly string[];
    readonly tls?: boolean;
    /** How long the ticket is valid. */
    readonly ttlMs?: number;
  },
): Promise<string> {
  const [key] = parseTicketKeys(cluster.ticketKeys);
  if (key === undefined) throw new Error('there is no key');
  const { pool, shard, url, channels, allow = channels, tls = false, ttlMs = TICKET_MS } = to;
  const id = randomBytes(12).toString('base64url');
  const ticket = { id, pool, shard, channels, allow, denied: [], tls };
  return `${url}/v1/stream?ticket=${await issueTicket(ticket, { key, nowMs: Date.now(), ttlMs })}`;
}

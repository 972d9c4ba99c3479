// The way past the router to one shard: a stream URL with a ticket of our own.
import { randomBytes } from 'node:crypto';
import { issueTicket, parseTicketKeys } from '@weir/protocol';
import type { SmallCluster } from './small-cluster.ts';

const TICKET_MS = 30_000;

export async function streamUrl(
  cluster: Pick<SmallCluster, 'ticketKeys'>,
  to: {
    readonly pool: string;
    readonly shard: string;
    /** Of the shard. */
    readonly url: string;
    readonly channels: readonly string[];
    /** What the client may have; the channels where nothing is said. */
    readonly allow?: readonly string[];
    readonly tls?: boolean;
    /** How long the ticket is good, in milliseconds. */
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

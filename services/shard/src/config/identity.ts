// Settings of the shard: its name, pool and addresses.
import { randomBytes } from 'node:crypto';
import { isToken, parseBaseUrl, parseTicketKeys } from '@weir/protocol';
import { defineSettings, parse } from '@weir/runtime';

function token(text: string): string {
  if (!isToken(text, 64)) throw new Error('must be letters, digits, - and _, at most 64 of them');
  return text;
}

export const identity = defineSettings({
  host: {
    env: 'WEIR_HOST',
    parse: parse.host(),
    default: '0.0.0.0',
    meaning: 'Address to listen on for clients; :: is IPv6 and IPv4',
  },
  port: {
    env: 'WEIR_PORT',
    parse: parse.port(),
    default: 8081,
    meaning: 'Port to listen on for clients; 0 picks a free one',
  },
  pool: {
    env: 'WEIR_POOL',
    parse: token,
    meaning: 'The pool that this shard serves: mobile, desktop or your own',
  },
  shardId: {
    env: 'WEIR_SHARD_ID',
    parse: token,
    default: `shard-${randomBytes(6).toString('hex')}`,
    meaning: 'Name of this shard, unique in the cluster; the pod name in Kubernetes, else random',
  },
  publicUrl: {
    env: 'WEIR_PUBLIC_URL',
    parse: parseBaseUrl,
    optional: true,
    meaning: 'URL of this shard for clients, ws:// or wss://; by default ws://127.0.0.1 and its port',
  },
  routerUrl: {
    env: 'WEIR_ROUTER_URL',
    parse: parseBaseUrl,
    meaning: 'Public URL of the router; moved clients go there',
  },
  ticketKeys: {
    env: 'WEIR_TICKET_KEYS',
    parse: parseTicketKeys,
    secret: true,
    meaning: 'Keys of tickets and hints, kid:base64url-secret, comma separated: the same keys as the router',
  },
  revision: {
    env: 'WEIR_REVISION',
    parse: token,
    optional: true,
    meaning:
      'Rollout that this shard belongs to (the pod-template-hash); shards of newer rollouts get new clients first',
  },
});

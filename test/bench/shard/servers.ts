// Starts what is measured, each in a process of its own: Weir's shard with a real NATS server, or a peer.
import type { ChildProcess } from 'node:child_process';
import { fork } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { NatsConnection } from '@nats-io/transport-node';
import { connect as connectNats } from '@nats-io/transport-node';
import { startNatsServer } from '@weir/local';
import type { TicketKey } from '@weir/protocol';
import { issueTicket, paths } from '@weir/protocol';
import type { Feed } from './peers/feed.ts';
import { message } from './peers/feed.ts';

/** Something that broadcasts a feed. */
export interface Server {
  readonly name: string;
  readonly pid: number;
  readonly port: number;
  /** The request paths of so many clients, each on `perClient` channels of the feed. */
  clientPaths(clients: number, perClient: number): Promise<readonly string[]>;
  /** What a client says first. */
  readonly greeting?: string;
  /** WebSocket extensions that clients offer. */
  readonly extensions?: string;
  stop(): Promise<void>;
}

export type PeerName = 'naive-ws' | 'socket-io' | 'plain-write';

/** A peer that makes its own feed. */
export async function startPeer(name: PeerName, feed: Feed): Promise<Server> {
  const script = fileURLToPath(new URL(`./peers/${name}.js`, import.meta.url));
  const child = fork(script, [feed.tickMs, feed.messagesPerTick, feed.bytes, feed.channels].map(String));
  const [{ port }] = (await once(child, 'message')) as [{ port: number }];
  const prefix = name === 'socket-io' ? '/socket.io/?EIO=4&transport=websocket&c=' : '/?c=';
  return {
    name,
    pid: pidOf(child),
    port,
    clientPaths: async (clients, perClient) =>
      Array.from({ length: clients }, () => prefix + pick(feed.channels, perClient).join(',')),
    // Socket.IO: connect to the default namespace.
    ...(name === 'socket-io' ? { greeting: '40' } : {}),
    stop: () => end(child),
  };
}

/** A shard fed through a real NATS server by plain publishes, as a user's publisher does. */
export async function startWeir(
  feed: Feed,
  env: Readonly<Record<string, string>> = {},
): Promise<
  Server & {
    readonly natsUrl: string;
    readonly admin: string;
    pathOf(channels: readonly string[]): Promise<string>;
  }
> {
  const server = await startNatsServer();
  const key: TicketKey = { id: 'bench', secret: new Uint8Array(randomBytes(32)) };
  const script = fileURLToPath(new URL('../../../../services/shard/dist/main.js', import.meta.url));
  const shard = fork(script, [], {
    env: {
      PATH: process.env['PATH'],
      WEIR_NATS_URL: server.url,
      WEIR_TICKET_KEYS: `bench:${Buffer.from(key.secret).toString('base64url')}`,
      WEIR_POOL: 'desktop',
      WEIR_SHARD_ID: 'bench',
      WEIR_ROUTER_URL: 'ws://127.0.0.1:1',
      WEIR_HOST: '127.0.0.1',
      WEIR_PORT: '0',
      WEIR_ADMIN_PORT: '0',
      WEIR_LOG_LEVEL: 'error',
      WEIR_TICK_MS: String(feed.tickMs),
      WEIR_CAPACITY: '20000',
      WEIR_DRAIN_GRACE_MS: '0',
      ...env,
    },
  });
  const [where] = (await once(shard, 'message')) as [{ url: string; adminUrl: string }];
  while (!(await fetch(`${where.adminUrl}/readyz`)).ok)
    await new Promise((resolve) => setTimeout(resolve, 50));
  const nats = await connectNats({ servers: server.url });
  const stopFeed = publishFeed(nats, feed);
  return {
    name: 'weir',
    pid: pidOf(shard),
    port: Number(new URL(where.url).port),
    natsUrl: server.url,
    pathOf: (channels) => streamPath(key, channels),
    admin: where.adminUrl,
    clientPaths: (clients, perClient) =>
      Promise.all(
        Array.from({ length: clients }, () => streamPath(key, names(pick(feed.channels, perClient)))),
      ),
    stop: async () => {
      stopFeed();
      await nats.close();
      await end(shard);
      await server.stop();
    },
  };
}

/** A shard with the demo lobby of a real publisher, with or without compression; all clients are in the lobby. */
export async function startLobby(compression: boolean): Promise<Server> {
  const silence: Feed = { tickMs: 500, messagesPerTick: 0, bytes: 0, channels: 1 };
  const weir = await startWeir(silence, { WEIR_COMPRESSION: String(compression) });
  const script = fileURLToPath(new URL('../../../../services/publisher/dist/main.js', import.meta.url));
  const publisher = fork(script, [], {
    env: {
      PATH: process.env['PATH'],
      WEIR_NATS_URL: weir.natsUrl,
      WEIR_HOST: '127.0.0.1',
      WEIR_PORT: '0',
      WEIR_ADMIN_PORT: '0',
      WEIR_LOG_LEVEL: 'error',
      WEIR_DEMO: 'lobby',
    },
  });
  await once(publisher, 'message');
  return {
    ...weir,
    extensions: 'permessage-deflate',
    clientPaths: (clients) => Promise.all(Array.from({ length: clients }, () => weir.pathOf(['lobby']))),
    stop: async () => {
      await end(publisher);
      await weir.stop();
    },
  };
}

/** The messages of a tick go to keys of their own, so that a tick carries as many values as the peers send messages. */
function publishFeed(nats: NatsConnection, feed: Feed): () => void {
  let seq = 0;
  const timer = setInterval(() => {
    for (let channel = 0; channel < feed.channels; channel++) {
      for (let i = 0; i < feed.messagesPerTick; i++) {
        nats.publish(`weir.state.c${channel}.k${i}`, message(feed.bytes, seq++));
      }
    }
  }, feed.tickMs);
  return () => clearInterval(timer);
}

const names = (channels: readonly number[]): readonly string[] => channels.map((channel) => `c${channel}`);

async function streamPath(key: TicketKey, channels: readonly string[]): Promise<string> {
  const ticket = await issueTicket(
    {
      id: randomBytes(9).toString('base64url'),
      pool: 'desktop',
      shard: 'bench',
      channels,
      allow: ['>'],
      denied: [],
      tls: false,
    },
    { key, nowMs: Date.now(), ttlMs: 60_000 },
  );
  return `${paths.stream}?ticket=${ticket}`;
}

function pick(channels: number, perClient: number): readonly number[] {
  const picked = new Set<number>();
  while (picked.size < Math.min(perClient, channels)) picked.add(Math.floor(Math.random() * channels));
  return [...picked];
}

function pidOf(child: ChildProcess): number {
  if (child.pid === undefined) throw new Error('the process did not start');
  return child.pid;
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGKILL');
  await once(child, 'exit');
}

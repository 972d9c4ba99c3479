// Starts the measured servers, each in its own process: Weir's shard with a real NATS server, or a peer.
import type { ChildProcess } from 'node:child_process';
import { fork } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { NatsConnection } from '@nats-io/transport-node';
import { connect as connectNats } from '@nats-io/transport-node';
import type { NatsServer } from '@weir/local';
import { startNatsServer } from '@weir/local';
import type { TicketKey } from '@weir/protocol';
import { issueTicket, paths } from '@weir/protocol';
import type { Feed } from './peers/feed.ts';
import { sleep } from './scenario.ts';
import type { Extras } from './weir-feed.ts';
import { WeirFeed } from './weir-feed.ts';

/** A server that broadcasts a feed. */
export interface Server {
  readonly name: string;
  readonly pid: number;
  readonly port: number;
  /** The request paths of `clients` clients, each on `perClient` channels of the feed. */
  clientPaths(clients: number, perClient: number): Promise<readonly string[]>;
  /** First message of a client. */
  readonly greeting?: string | undefined;
  /** WebSocket extensions that clients offer. */
  readonly extensions?: string | undefined;
  /** Starts or stops the feed; a server is silent at first. */
  play(playing: boolean): void;
  /** Number of ticks of the feed. */
  ticks(): Promise<number>;
  /** Starts or ends a CPU profile, if the bench was asked for one. */
  profile(on: boolean): Promise<void>;
  stop(): Promise<void>;
}

/** A shard, with the NATS server and the publisher that feed it. */
export interface WeirServer extends Server {
  readonly admin: string;
  readonly natsUrl: string;
  readonly nats: NatsConnection;
  natsPid(): number;
  pathOf(channels: readonly string[]): Promise<string>;
}

export type PeerName = 'naive-ws' | 'socket-io' | 'plain-write';

/** A peer that produces its own feed. */
export async function startPeer(name: PeerName, feed: Feed): Promise<Server> {
  const script = fileURLToPath(new URL(`./peers/${name}.js`, import.meta.url));
  const args = [feed.tickMs, feed.messagesPerTick, feed.bytes, feed.channels].map(String);
  const child = fork(script, args, { execArgv: profileArguments() });
  const [{ port }] = (await once(child, 'message')) as [{ port: number }];
  const prefix = name === 'socket-io' ? '/socket.io/?EIO=4&transport=websocket&c=' : '/?c=';
  return {
    name,
    pid: pidOf(child),
    port,
    clientPaths: async (clients, perClient) =>
      Array.from({ length: clients }, () => prefix + pick(feed.channels, perClient).join(',')),
    // For Socket.IO: connects to the default namespace.
    greeting: name === 'socket-io' ? '40' : undefined,
    play: (playing) => void child.send(playing ? 'play' : 'pause'),
    ticks: async () => {
      const answer = once(child, 'message');
      child.send('ticks');
      return ((await answer) as [{ ticks: number }])[0].ticks;
    },
    profile: (on) => profile(child, on),
    stop: () => end(child),
  };
}

/** How a shard is started. */
export interface WeirOptions {
  readonly name?: string;
  readonly pool?: string;
  readonly extras?: Extras;
  /** The NATS server that feeds it; a new one if absent. */
  readonly nats?: NatsServer;
  /** Settings of the shard. */
  readonly env?: Readonly<Record<string, string>>;
}

/** A shard fed through a real NATS server by plain publishes, as a user's publisher does. */
export async function startWeir(feed: Feed, options: WeirOptions = {}): Promise<WeirServer> {
  const { name = 'weir', pool = 'desktop', extras = {}, env = {} } = options;
  const server = options.nats ?? (await startNatsServer());
  const key: TicketKey = { id: 'bench', secret: new Uint8Array(randomBytes(32)) };
  const shard = fork(serviceScript('shard'), [], {
    execArgv: profileArguments(),
    env: {
      PATH: process.env['PATH'],
      BENCH_PROFILE: process.env['BENCH_PROFILE'],
      WEIR_NATS_URL: server.url,
      WEIR_TICKET_KEYS: `bench:${Buffer.from(key.secret).toString('base64url')}`,
      WEIR_POOL: pool,
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
  while (!(await fetch(`${where.adminUrl}/readyz`)).ok) await sleep(50);
  const nats = await connectNats({ servers: server.url });
  const publisher = new WeirFeed(nats, feed, extras);
  const pathOf = (channels: readonly string[]): Promise<string> => streamPath(key, pool, channels);
  return {
    name,
    pid: pidOf(shard),
    port: Number(new URL(where.url).port),
    admin: where.adminUrl,
    natsUrl: server.url,
    nats,
    natsPid: () => server.pid ?? 0,
    pathOf,
    clientPaths: (clients, perClient) =>
      Promise.all(
        Array.from({ length: clients }, () => pathOf(pick(feed.channels, perClient).map((c) => `c${c}`))),
      ),
    play: (playing) => publisher.play(playing),
    ticks: async () => publisher.ticks,
    profile: (on) => profile(shard, on),
    stop: async () => {
      publisher.stop();
      await nats.close();
      await end(shard);
      if (options.nats === undefined) await server.stop();
    },
  };
}

/** A router that lets one address connect without limit. */
export interface RouterServer {
  readonly pid: number;
  readonly port: number;
  stop(): Promise<void>;
}

export async function startRouter(natsUrl: string): Promise<RouterServer> {
  const router = fork(serviceScript('router'), [], {
    execArgv: profileArguments(),
    env: {
      PATH: process.env['PATH'],
      BENCH_PROFILE: process.env['BENCH_PROFILE'],
      WEIR_NATS_URL: natsUrl,
      WEIR_TICKET_KEYS: `bench:${randomBytes(32).toString('base64url')}`,
      WEIR_HOST: '127.0.0.1',
      WEIR_PORT: '0',
      WEIR_ADMIN_PORT: '0',
      WEIR_LOG_LEVEL: 'error',
      WEIR_CONNECTS_PER_SECOND_PER_ADDRESS: '100000',
      WEIR_CONNECT_BURST_PER_ADDRESS: '100000',
    },
  });
  const [where] = (await once(router, 'message')) as [{ url: string; adminUrl: string }];
  while (!(await fetch(`${where.adminUrl}/readyz`)).ok) await sleep(50);
  return { pid: pidOf(router), port: Number(new URL(where.url).port), stop: () => end(router) };
}

/** A NATS server with the demo lobby of a real publisher. */
export interface Lobby {
  readonly nats: NatsServer;
  stop(): Promise<void>;
}

export async function startLobby(): Promise<Lobby> {
  const nats = await startNatsServer();
  const publisher = fork(serviceScript('publisher'), [], {
    env: {
      PATH: process.env['PATH'],
      WEIR_NATS_URL: nats.url,
      WEIR_HOST: '127.0.0.1',
      WEIR_PORT: '0',
      WEIR_ADMIN_PORT: '0',
      WEIR_LOG_LEVEL: 'error',
      WEIR_DEMO: 'lobby',
    },
  });
  await once(publisher, 'message');
  return {
    nats,
    stop: async () => {
      await end(publisher);
      await nats.stop();
    },
  };
}

/** The default of the pool. */
const MOBILE_TICK_MS = 1_000;

/** A shard of the mobile pool with the lobby, compressed or plain; all its clients offer compression. */
export async function startLobbyShard({ nats }: Lobby, compression: boolean): Promise<Server> {
  const silence: Feed = { tickMs: MOBILE_TICK_MS, messagesPerTick: 0, bytes: 0, channels: 1 };
  const weir = await startWeir(silence, {
    name: compression ? 'compressed' : 'plain',
    pool: 'mobile',
    nats,
    env: { WEIR_COMPRESSION: String(compression) },
  });
  return {
    ...weir,
    extensions: 'permessage-deflate',
    clientPaths: (clients) => Promise.all(Array.from({ length: clients }, () => weir.pathOf(['lobby']))),
  };
}

function serviceScript(service: string): string {
  for (let folder = import.meta.dirname; folder !== dirname(folder); folder = dirname(folder)) {
    const script = join(folder, 'services', service, 'dist/main.js');
    if (existsSync(script)) return script;
  }
  throw new Error(`services/${service} is not built`);
}

async function streamPath(key: TicketKey, pool: string, channels: readonly string[]): Promise<string> {
  const ticket = await issueTicket(
    {
      id: randomBytes(9).toString('base64url'),
      pool,
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
  if (perClient >= channels) return Array.from({ length: channels }, (_, channel) => channel);
  const picked = new Set<number>();
  while (picked.size < perClient) picked.add(Math.floor(Math.random() * channels));
  return [...picked];
}

function profileArguments(): string[] {
  const preload = new URL('./cpu-profile.js', import.meta.url).href;
  return process.env['BENCH_PROFILE'] === undefined ? [] : ['--import', preload];
}

const PROFILE_WRITE_MS = 2_000;

async function profile(child: ChildProcess, on: boolean): Promise<void> {
  if (process.env['BENCH_PROFILE'] === undefined) return;
  child.send({ profile: on ? 'start' : 'stop' });
  if (!on) await sleep(PROFILE_WRITE_MS);
}

function pidOf(child: ChildProcess): number {
  if (child.pid === undefined) throw new Error('the process did not start');
  return child.pid;
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, 'exit');
  child.kill('SIGKILL');
  await exit;
}

// A router on a free port of loopback with a table of shards that a test fills by hand. For tests alone.
import { createHmac, randomBytes } from 'node:crypto';
import type { ShardEntry } from '@weir/fleet';
import type { Ticket, Verified } from '@weir/protocol';
import { parseTicketKeys, verifyTicket } from '@weir/protocol';
import type { Clock, Registry } from '@weir/runtime';
import { createLogger, createMetricsRegistry, readConfig, systemClock } from '@weir/runtime';
import { afterEach } from 'vitest';
import type { RouterConfig } from '../config.ts';
import { rules, settings } from '../config.ts';
import { createRouterMetrics } from '../metrics.ts';
import { createRouter, type Router } from '../router.ts';
import type { RawOptions } from './raw-client.ts';
import { RawClient } from './raw-client.ts';
import { entry } from './shard-entry.ts';

const keysText = `k1:${Buffer.alloc(32, 5).toString('base64url')}`;
export const keys = parseTicketKeys(keysText);

export const bothPools: readonly ShardEntry[] = [entry(), entry({ pool: 'mobile', shard: 'm1' })];

export interface RunningRouter {
  readonly port: number;
  readonly router: Router;
  readonly shards: { list: readonly ShardEntry[]; readonly given: string[] };
  readonly logged: string[];
  readonly registry: Registry;
  /** Value of a series with these labels, as in `name{a="b"}`; 0 where there is none. */
  series(name: string): Promise<number>;
  /** The ticket in a redirect's URL, as the shard that it names would read it. */
  ticket(url: unknown, shard?: Pick<ShardEntry, 'pool' | 'shard'>): Promise<Verified<Ticket>>;
  stop(): Promise<void>;
}

export function configOf(env: Readonly<Record<string, string>> = {}): RouterConfig {
  const read = readConfig({
    table: settings,
    rules,
    env: {
      WEIR_TICKET_KEYS: keysText,
      WEIR_HOST: '127.0.0.1',
      WEIR_PORT: '0',
      WEIR_CONNECTS_PER_SECOND_PER_ADDRESS: '100000',
      WEIR_CONNECT_BURST_PER_ADDRESS: '100000',
      ...env,
    },
  });
  if ('problems' in read) throw new Error(read.problems.join('\n'));
  return read.config;
}

export async function startRouter(
  env: Readonly<Record<string, string>> = {},
  clock: Clock = systemClock,
): Promise<RunningRouter> {
  const registry = createMetricsRegistry({ service: 'router', version: 'test' });
  const logged: string[] = [];
  const shards = { list: bothPools, given: [] as string[] };
  const router = createRouter({
    config: configOf(env),
    shards: {
      entries: () => shards.list,
      ticketGiven: (shard) => void shards.given.push(shard),
      stale: false,
      settled: true,
      endpointAgeMs: Number.POSITIVE_INFINITY,
      stop: () => Promise.resolve(),
    },
    ...createRouterMetrics(registry),
    link: { connected: true },
    sleep: () => Promise.resolve(),
    logger: createLogger({
      service: 'router',
      level: 'debug',
      sink: { write: (line) => void logged.push(line) },
    }),
    clock,
    random: Math.random,
    randomBytes,
  });
  const { port } = await router.start();
  const series = async (name: string): Promise<number> => {
    const line = (await registry.metrics()).split('\n').find((each) => each.startsWith(`${name} `));
    return Number(line?.slice(name.length + 1) ?? 0);
  };
  const ticket: RunningRouter['ticket'] = (url, shard = entry()) => {
    const token = new URL(String(url)).searchParams.get('ticket') ?? '';
    return verifyTicket(token, { keys, nowMs: Date.now(), pool: shard.pool, shard: shard.shard });
  };
  return { port, router, shards, logged, registry, series, ticket, stop: () => stopAll(router) };
}

async function stopAll({ stops }: Router): Promise<void> {
  for (const { run } of stops) await run();
}

/** Routers that a test file starts, all stopped after each test. */
export function routers(): (env?: Readonly<Record<string, string>>) => Promise<RunningRouter> {
  const running: RunningRouter[] = [];
  afterEach(async () => {
    await Promise.all(running.splice(0).map((router) => router.stop()));
  });
  return async (env = {}) => {
    const router = await startRouter(env);
    running.push(router);
    return router;
  };
}

/** Short enough for tests that wait for the end of patience. */
export const impatient = {
  WEIR_PROBE_DEADLINE_MS: '300',
  WEIR_CLOSE_WAIT_MS: '300',
  WEIR_CLOSE_GRACE_MS: '300',
} as const;

const jwtSecret = 'a shared secret of at least 32 bytes!';
export const withTokens = { WEIR_AUTH: 'jwt', WEIR_JWT_SECRET: jwtSecret } as const;

/** A user token for `lobby` and `sports.*`. */
export function userToken(claims: Readonly<Record<string, unknown>> = {}, alg = 'HS256'): string {
  const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const exp = Math.floor(Date.now() / 1000) + 60;
  const signed = `${part({ alg })}.${part({ exp, channels: ['lobby', 'sports.*'], ...claims })}`;
  return `${signed}.${createHmac('sha256', jwtSecret).update(signed).digest('base64url')}`;
}

/** One raw client, from connecting to the end of its socket. */
export function visit(router: RunningRouter, o: Omit<RawOptions, 'port'> = {}): Promise<RawClient> {
  return new RawClient({ ...o, port: router.port }).closed;
}

/** The header of a client that offers subprotocols. */
export function offering(...names: string[]): { readonly headers: readonly string[] } {
  return { headers: [`Sec-WebSocket-Protocol: ${names.join(', ')}`] };
}

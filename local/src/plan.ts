// Owns which services `npm start` runs, and with which settings. Pure: the ticket keys come from the caller.
import { fileURLToPath } from 'node:url';
import type { Ports } from './ports.ts';
import type { Environments } from './service-environment.ts';
import type { Phase, ServiceSpec } from './supervise/service-spec.ts';

export interface PlanOptions {
  readonly natsUrl: string;
  /** `kid:secret`, shared by the router and the shards of this one run. */
  readonly ticketKeys: string;
  readonly demo: boolean;
  readonly ports: Ports;
  /** `WEIR_…` of the environment for each service. They win over the defaults here, not over what the plan fixes. */
  readonly given: Environments;
}

const SHARDS = [
  { pool: 'desktop', id: 'desktop-1' },
  { pool: 'desktop', id: 'desktop-2' },
  { pool: 'mobile', id: 'mobile-1' },
] as const;

const ROUTER_ID = 'router-1';

export const SERVICES = ['router', 'shard', 'publisher', 'control'] as const;
export type ServiceName = (typeof SERVICES)[number];

/** Settings that the plan fixes: with another value the parts would not find each other. */
export const FIXED: ReadonlySet<string> = new Set([
  'WEIR_NATS_URL',
  'WEIR_HOST',
  'WEIR_PORT',
  'WEIR_ADMIN_HOST',
  'WEIR_ADMIN_PORT',
  'WEIR_POOL',
  'WEIR_SHARD_ID',
  'WEIR_ROUTER_URL',
  'WEIR_CONSOLE',
  'WEIR_CONSOLE_HOST',
  'WEIR_CONSOLE_PORT',
]);

/**
 * Settings of shards whose effects a person can watch: with the defaults a client is measured again after a minute, and a
 * drain takes half of one. They are no settings for production.
 */
const WATCHABLE = {
  WEIR_MIN_STAY_MS: '5000',
  WEIR_DEMOTION_LAG_MS: '1500',
  WEIR_PROMOTION_HEALTH_MS: '6000',
  WEIR_PROMOTION_MIN_BYTES: '2048',
  WEIR_LOOK_EVERY_MS: '15000',
  WEIR_MOVE_BACKOFF_MS: '10000',
  WEIR_MOVE_BACKOFF_MAX_MS: '20000',
  WEIR_DRAIN_GRACE_MS: '1500',
  WEIR_DRAIN_WINDOW_MS: '3000',
};

/** A router and a publisher have nothing to drain that takes longer. */
const SHUTDOWN_DEADLINE_MS = '5000';

/**
 * Router, then shards (which must know the router's URL), then the publisher: data flows when all can carry it. Control
 * looks at all of them.
 */
export function plan({ natsUrl, ticketKeys, demo, ports, given }: PlanOptions): readonly Phase[] {
  const fixed = {
    WEIR_NATS_URL: natsUrl,
    WEIR_HOST: '127.0.0.1',
    WEIR_ADMIN_HOST: '127.0.0.1',
    WEIR_ADMIN_PORT: '0',
  };
  const keys = { WEIR_TICKET_KEYS: ticketKeys };
  const quick = { WEIR_SHUTDOWN_DEADLINE_MS: SHUTDOWN_DEADLINE_MS };
  const router: ServiceSpec = {
    name: 'router',
    id: ROUTER_ID,
    script: scriptOf('router'),
    port: ports.router,
    env: { ...keys, ...quick, ...given.router, ...fixed },
  };
  const publisher: ServiceSpec = {
    name: 'publisher',
    id: 'publisher-1',
    script: scriptOf('publisher'),
    port: ports.publisher,
    env: { WEIR_DEMO: demo ? 'lobby' : 'none', ...quick, ...given.publisher, ...fixed },
  };
  const control: ServiceSpec = {
    name: 'control',
    id: 'control-1',
    script: scriptOf('control'),
    port: ports.console,
    portSetting: 'WEIR_CONSOLE_PORT',
    // The line that `npm start` shows changes once a second.
    env: { ...quick, WEIR_CONSOLE_EVERY_MS: '1000', ...given.control, ...fixed, WEIR_CONSOLE: 'true' },
  };
  return [
    () => [router],
    (urlOf) =>
      SHARDS.map(({ pool, id }) => ({
        name: 'shard',
        pool,
        id,
        script: scriptOf('shard'),
        drains: true,
        env: {
          ...keys,
          ...WATCHABLE,
          ...given.shard,
          ...fixed,
          WEIR_POOL: pool,
          WEIR_SHARD_ID: id,
          WEIR_ROUTER_URL: urlOf(ROUTER_ID),
        },
      })),
    () => [publisher, control],
  ];
}

/** The program of a service. */
export function scriptOf(service: ServiceName): string {
  return fileURLToPath(new URL(`../../services/${service}/dist/bundle/main.js`, import.meta.url));
}

// Owns which services `npm start` runs, and with which settings. Pure: the ticket keys come from the caller.
import { fileURLToPath } from 'node:url';
import type { Phase, ServiceSpec } from './supervise/service-spec.ts';

export interface PlanOptions {
  readonly natsUrl: string;
  /** `kid:secret`, shared by the router and the shards of this one run. */
  readonly ticketKeys: string;
  readonly demo: boolean;
}

const SHARDS = [
  { pool: 'desktop', id: 'desktop-1' },
  { pool: 'desktop', id: 'desktop-2' },
  { pool: 'mobile', id: 'mobile-1' },
] as const;

const ROUTER_ID = 'router-1';

/** Router, then shards (which must know the router's URL), then the publisher: data flows when all can carry it. */
export function plan({ natsUrl, ticketKeys, demo }: PlanOptions): readonly Phase[] {
  const all = {
    WEIR_NATS_URL: natsUrl,
    WEIR_HOST: '127.0.0.1',
    WEIR_PORT: '0',
    WEIR_ADMIN_HOST: '127.0.0.1',
    WEIR_ADMIN_PORT: '0',
    WEIR_SHUTDOWN_DEADLINE_MS: '5000',
  };
  const router: ServiceSpec = {
    name: 'router',
    id: ROUTER_ID,
    script: scriptOf('router'),
    env: { ...all, WEIR_TICKET_KEYS: ticketKeys },
  };
  const publisher: ServiceSpec = {
    name: 'publisher',
    id: 'publisher-1',
    script: scriptOf('publisher'),
    env: { ...all, WEIR_DEMO: demo ? 'lobby' : 'none' },
  };
  return [
    () => [router],
    (urlOf) =>
      SHARDS.map(({ pool, id }) => ({
        name: 'shard',
        pool,
        id,
        script: scriptOf('shard'),
        env: {
          ...all,
          WEIR_TICKET_KEYS: ticketKeys,
          WEIR_POOL: pool,
          WEIR_SHARD_ID: id,
          WEIR_ROUTER_URL: urlOf(ROUTER_ID),
          // Everything stops together here: nobody can be moved anywhere, so nobody is waited for.
          WEIR_DRAIN_GRACE_MS: '0',
          WEIR_DRAIN_WINDOW_MS: '200',
          WEIR_DRAIN_WITHIN_MS: '300',
          WEIR_MOVES_PER_SECOND: '100000',
        },
      })),
    () => [publisher],
  ];
}

function scriptOf(service: string): string {
  return fileURLToPath(new URL(`../../services/${service}/dist/main.js`, import.meta.url));
}

// Waits until the router has heard of every shard, so a client that connects now is placed. Reads only.
import { setTimeout as delay } from 'node:timers/promises';
import type { ServiceStatus } from './service-spec.ts';

/** Shards report once a second. */
const PATIENCE_MS = 15_000;
const LOOK_MS = 50;
const TIMEOUT_MS = 2000;

/** Resolves when the router has all shards in its table, ready; rejects if that takes too long. */
export async function untilShardsKnown(
  services: readonly ServiceStatus[],
  signal: AbortSignal,
): Promise<void> {
  const routers = services.filter(({ spec }) => spec.name === 'router');
  const shards = services.filter(({ spec }) => spec.name === 'shard').length;
  const untilMs = performance.now() + PATIENCE_MS;
  for (const { adminUrl } of routers) {
    for (;;) {
      const known = await readyShards(adminUrl);
      if (known >= shards) break;
      if (performance.now() > untilMs) throw new Error(`the router knows ${known} of ${shards} shards`);
      await delay(LOOK_MS, undefined, { signal });
    }
  }
}

/** The answer of a router's `/readyz`. */
async function readyShards(adminUrl: string): Promise<number> {
  try {
    const response = await fetch(new URL('/readyz', adminUrl), { signal: AbortSignal.timeout(TIMEOUT_MS) });
    const { info }: { readonly info?: { readonly readyShards?: unknown } } = JSON.parse(
      await response.text(),
    );
    return typeof info?.readyShards === 'number' ? info.readyShards : 0;
  } catch {
    return 0;
  }
}

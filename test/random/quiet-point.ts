// A quiet point: writes have stopped, and everything that must then hold is checked, on shards that were there before
// and on those that have just started.
import { randomBytes } from 'node:crypto';
import { issueTicket, parseTicketKeys } from '@weir/protocol';
import { BareClient } from '../harness/bare-client.ts';
import { expectOneCause } from '../harness/one-cause.ts';
import type { State } from '../harness/same-state.ts';
import { differences, streamState } from '../harness/same-state.ts';
import { elapsed } from '../harness/small-cluster.ts';
import { CHANNELS } from './feed.ts';
import type { Stage } from './stage.ts';

/** The longest wait of the SDK, after a shard that is gone, and tries behind it. */
const OPEN_MS = 40_000;
/** Two ticks of the slowest pool and a look at the streams; the rest is for a machine that does other things too. */
const SAME_MS = 2 * 1_000 + 13_000;
const EVERY_MS = 50;
const SHOWN = 5;

/** What does not hold, as sentences. */
export async function quietPoint(stage: Stage): Promise<readonly string[]> {
  await stage.settled();
  const closed = await gone(() => closedClients(stage), OPEN_MS);
  if (closed.length > 0) return closed;
  const stream = await streamState(stage.feed.nats);
  const different = await gone(() => differentClients(stage, stream), SAME_MS);
  const missing = await gone(() => stage.clients.flatMap((client) => client.missing), SAME_MS);
  const shards = await Promise.all(
    stage.shards.living.map((member) => differentShard(stage, member, stream)),
  );
  const counts = await expectOneCause(stage.cluster.running).then(
    () => [],
    (error: Error) => [error.message],
  );
  return [...different, ...missing.slice(0, SHOWN), ...shards.flat(), ...counts, ...stage.faults];
}

function closedClients({ clients }: Stage): readonly string[] {
  return clients
    .filter(({ weir }) => weir.status !== 'open')
    .map(({ name, weir }) => `${name} is ${weir.status} after ${JSON.stringify(weir.info.lastClose)}`);
}

function differentClients({ clients }: Stage, stream: State): readonly string[] {
  return clients.flatMap(({ name, state, weir }) =>
    differences(stream, state)
      .slice(0, SHOWN)
      .map((difference) => `${name} at ${weir.info.shard}: ${difference}`),
  );
}

/** Opens a stream on this very shard with a ticket of our own. */
async function differentShard(
  stage: Stage,
  { pool, id, service }: Stage['shards']['living'][number],
  stream: State,
): Promise<readonly string[]> {
  const [key] = parseTicketKeys(stage.cluster.ticketKeys);
  if (key === undefined) throw new Error('there is no key');
  const ticket = {
    id: randomBytes(12).toString('base64url'),
    pool,
    shard: id,
    channels: CHANNELS,
    allow: CHANNELS,
    denied: [],
    tls: false,
  };
  const token = await issueTicket(ticket, { key, nowMs: Date.now(), ttlMs: 30_000 });
  const client = BareClient.open(`${service.url}/v1/stream?ticket=${token}`);
  const faults = await gone(() => differences(stream, client.maps(CHANNELS)), SAME_MS);
  client.close();
  return faults.slice(0, SHOWN).map((fault) => `a new client at ${id}: ${fault}`);
}

/** Waits for faults to be gone; those that stay. */
async function gone(faults: () => readonly string[], deadlineMs: number): Promise<readonly string[]> {
  const endMs = performance.now() + deadlineMs;
  for (;;) {
    const found = faults();
    if (found.length === 0 || performance.now() > endMs) return found;
    await elapsed(EVERY_MS);
  }
}

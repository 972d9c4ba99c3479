// A quiet point: writes have stopped, and all oracles are checked, on shards that have run for long and on shards that
// have just started.
import { closeCodes } from '@weir/protocol';
import { expectOneCause } from '../../harness/one-cause.ts';
import { openAt } from '../../harness/open-at.ts';
import type { State } from '../../harness/same-state.ts';
import { differences, streamState } from '../../harness/same-state.ts';
import { elapsed } from '../../harness/small-cluster.ts';
import { CHANNELS } from './feed.ts';
import type { Stage } from './stage.ts';

/** The SDK's longest wait after its shard is gone, with further tries. */
const OPEN_MS = 40_000;
/** Two ticks of the slowest pool and the repair of a spoilt key, which may take 13 s; the rest is for a busy machine. */
const SAME_MS = 2 * 1_000 + 13_000 + 10_000;
const EVERY_MS = 50;
const SHOWN = 5;

/** The faults, as sentences. */
export async function quietPoint(stage: Stage): Promise<readonly string[]> {
  await stage.settled();
  const closed = await gone(() => closedClients(stage), OPEN_MS);
  if (closed.length > 0) return closed;
  let stream = await streamState(stage.feed.nats);
  const different = await gone(async () => {
    if (differentClients(stage, stream).length === 0) return [];
    // Shards repair purged or spoilt keys.
    stream = await streamState(stage.feed.nats);
    return differentClients(stage, stream);
  }, SAME_MS);
  const missing = await gone(() => stage.clients.flatMap((client) => client.missing), SAME_MS);
  const shards = await Promise.all(stage.shards.living.map((member) => differentShard(stage, member)));
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

async function differentShard(
  stage: Stage,
  at: Stage['shards']['living'][number],
): Promise<readonly string[]> {
  let client = await openAt(stage.cluster, at, CHANNELS);
  // The stream is read each time: shards repair purged or spoilt keys, even in channels that no other client has.
  const faults = await gone(async () => {
    // A shard that has just started refuses clients until it has read the streams; they retry.
    if (client.closed === closeCodes.noCapacity.code) client = await openAt(stage.cluster, at, CHANNELS);
    return differences(await streamState(stage.feed.nats), client.maps(CHANNELS));
  }, SAME_MS);
  const closed = client.closed === undefined ? '' : ` (closed with ${client.closed})`;
  client.close();
  return faults.slice(0, SHOWN).map((fault) => `a new client at ${at.id}${closed}: ${fault}`);
}

/** Waits until there are no faults; returns those that remain at the deadline. */
async function gone(
  faults: () => readonly string[] | Promise<readonly string[]>,
  deadlineMs: number,
): Promise<readonly string[]> {
  const endMs = performance.now() + deadlineMs;
  for (;;) {
    const found = await faults();
    if (found.length === 0 || performance.now() > endMs) return found;
    await elapsed(EVERY_MS);
  }
}

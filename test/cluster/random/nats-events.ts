// What happens to NATS in a random sequence: away for a while, its store set back, a stream deleted. One at a time.
import { jetstreamManager } from '@nats-io/jetstream';
import type { NatsServer } from '@weir/local';
import { elapsed, until } from '../../harness/small-cluster.ts';
import { copyStore } from '../../harness/store-copy.ts';
import type { Feed } from './feed.ts';

interface Scene {
  readonly nats: NatsServer;
  readonly feed: Feed;
  /** Publishes some of everything at once. */
  readonly burst: (messages: number) => void;
  /** Everything up to the newest publish may be lost. Said before shards can notice, and again once it is over. */
  readonly onLoss: () => void;
}

const SOME = 9;

/** The server ends in either way, is away for a while, and comes back with what it had. */
export async function restartNats(
  { nats, feed, onLoss }: Scene,
  { hard, ms }: { hard: boolean; ms: number },
): Promise<void> {
  // A server that crashes brings back what a purged value had replaced.
  const bringsBack = hard && feed.hasPurged;
  await nats.kill(hard ? 'SIGKILL' : 'SIGTERM');
  if (bringsBack) onLoss();
  await elapsed(ms);
  await nats.restart();
  await answers(feed);
  if (bringsBack) onLoss();
}

/** The store goes back to an earlier copy, and is overtaken at once by other messages. */
export async function setBack(scene: Scene, more: number): Promise<void> {
  const { nats, feed, burst, onLoss } = scene;
  await nats.kill('SIGTERM');
  const copy = await copyStore(nats);
  try {
    await nats.restart();
    await answers(feed);
    burst(SOME);
    await feed.settled();
    await nats.kill('SIGKILL');
    await copy.putBack();
    onLoss();
    await nats.restart();
    await answers(feed);
    onLoss();
    burst(SOME + more);
  } finally {
    await copy.remove();
  }
}

/** A stream is gone; the shards make it anew. */
export async function deleteStream({ feed, onLoss }: Scene, name: string): Promise<void> {
  const manager = await jetstreamManager(feed.nats);
  onLoss();
  await manager.streams.delete(name);
  await until(
    () =>
      manager.streams.info(name).then(
        () => true,
        () => false,
      ),
    `${name} is made anew`,
    30_000,
  );
  onLoss();
}

/** The publisher's own connection is back, and JetStream answers it. */
async function answers(feed: Feed): Promise<void> {
  await until(
    () =>
      jetstreamManager(feed.nats, { timeout: 500 }).then(
        () => true,
        () => false,
      ),
    'JetStream answers',
    30_000,
  );
}

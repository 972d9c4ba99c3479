// NATS events of a random sequence: away for a while, store set back, stream deleted. One at a time.
import { jetstreamManager } from '@nats-io/jetstream';
import type { NatsServer } from '@weir/local';
import { elapsed, until } from '../../harness/small-cluster.ts';
import { copyStore } from '../../harness/store-copy.ts';
import type { Feed } from './feed.ts';

interface Scene {
  readonly nats: NatsServer;
  readonly feed: Feed;
  /** Publishes a burst of state and critical messages. */
  readonly burst: (messages: number) => void;
  /** Everything up to the newest publish may be lost. Called before shards can notice, and again afterwards. */
  readonly onLoss: () => void;
}

const SOME = 9;

/** Ends the server (hard or softly), waits, and restarts it with its store. */
export async function restartNats(
  { nats, feed, onLoss }: Scene,
  { hard, ms }: { hard: boolean; ms: number },
): Promise<void> {
  // A server that crashes may bring back the value before a purge.
  const bringsBack = hard && feed.hasPurged;
  await nats.kill(hard ? 'SIGKILL' : 'SIGTERM');
  if (bringsBack) onLoss();
  await elapsed(ms);
  await nats.restart();
  await answers(feed);
  if (bringsBack) onLoss();
}

/** Sets the store back to an earlier copy, and overtakes it at once with new messages. */
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

/** Deletes a stream; the shards recreate it. */
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

/** Waits until the publisher's connection is back and JetStream answers. */
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

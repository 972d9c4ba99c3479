// Well-behaved clients beside misbehaving ones: whatever happens to the shard, they get every critical message and
// stay connected.
import { afterEach, beforeEach, expect } from 'vitest';
import type { BareClient } from './bare-client.ts';
import type { Feed, Scene } from './scene.ts';
import { until } from './small-cluster.ts';

const EVERY_MS = 20;
/** Each bystander has more messages than this before a test may end: fewer would prove nothing. */
const LEAST = 10;

/** Before each test: `count` clients in the lobby and a feed of numbers. After it: each client must have every one. */
export function useBystanders(scene: Scene, count: number): void {
  let clients: readonly BareClient[];
  let feed: Feed;
  beforeEach(async () => {
    clients = await scene.clients(count);
    feed = scene.every(EVERY_MS, (n) => scene.nats.publish('weir.critical.lobby', String(n)));
  });
  afterEach(async () => {
    await until(() => feed.count > LEAST, 'the feed has begun');
    feed.stop();
    const last = feed.count - 1;
    await until(
      () => clients.every((client) => client.of('critical').at(-1)?.message['data'] === last),
      'the bystanders have the last message',
    );
    const all = Array.from({ length: feed.count }, (_, n) => n);
    for (const client of clients) {
      expect(client.of('critical').map(({ message }) => message['data'])).toEqual(all);
      expect(client.closed).toBeUndefined();
    }
    expect(scene.shard.process.exitCode).toBeNull();
  });
}

// One cluster with its clients and publisher, on which the actions of a sequence run.
import { encodeShedRequest } from '@weir/fleet';
import { createSubjects } from '@weir/protocol';
import { SmallCluster } from '../../harness/small-cluster.ts';
import { DrivenClient } from './driven-client.ts';
import { CHANNELS, Feed, keyOf } from './feed.ts';
import { deleteStream, restartNats, setBack } from './nats-events.ts';
import type { Action, ActionName } from './sequence.ts';
import { allCurrent, Shards } from './shard-events.ts';

const subjects = createSubjects('weir');
const MAX_CLIENTS = 24;
const POOLS = [undefined, undefined, 'mobile'] as const;
const BURST = 40;
/** Size of a large tick, well below the size that evicts a client. */
const BIG_KEYS = 12;
const BIG_BYTES = 8_000;
const LONGEST_MS = 1_500;
const MOVE_MS = 2_000;

export class Stage {
  readonly cluster: SmallCluster;
  readonly feed: Feed;
  readonly shards: Shards;
  readonly #background = new Set<Promise<void>>();
  readonly #faults: string[] = [];
  /** Channels and keys that got an invalid message. */
  readonly #spoilt: (readonly [channel: string, key: string])[] = [];
  #clients: DrivenClient[] = [];
  #connected = 0;
  #lostUpTo = 0;
  /** Above 0 while NATS is away or was a moment ago: shards may differ. */
  #unsettled = 0;
  #natsEvents: Promise<void> = Promise.resolve();

  private constructor(cluster: SmallCluster, feed: Feed) {
    this.cluster = cluster;
    this.feed = feed;
    this.shards = new Shards(cluster);
  }

  static async open(): Promise<Stage> {
    const cluster = await SmallCluster.start();
    const stage = new Stage(cluster, await Feed.open(cluster.nats.url));
    await stage.shards.start();
    return stage;
  }

  get clients(): readonly DrivenClient[] {
    return this.#clients;
  }

  /** Number of clients so far. */
  get connected(): number {
    return this.#connected;
  }

  /** Faults that cannot disappear any more. */
  get faults(): readonly string[] {
    const ended = this.shards.living.filter(({ service }) => service.process.exitCode !== null);
    return [
      ...this.#faults,
      ...ended.map(({ id, service }) => `${id} ended with ${service.process.exitCode}`),
      ...this.#clients.flatMap(({ faults }) => faults),
    ];
  }

  /** Starts an action; long actions run in parallel with the next ones. */
  act(action: Action): void {
    const doing = this.#actions[action.what];
    doing?.(action);
  }

  /** Resolves when all actions have ended and every publish is acknowledged. */
  async settled(): Promise<void> {
    while (this.#background.size > 0) await Promise.all(this.#background);
    await this.feed.settled();
  }

  async close(): Promise<void> {
    for (const client of this.#clients) client.close();
    await this.feed.close();
    await this.cluster.stop();
  }

  readonly #actions: Readonly<Partial<Record<ActionName, (action: Action) => void>>> = {
    connect: (action) => this.#connect(action),
    subscribe: ({ which, channel }) => this.#client(which)?.subscribe(named(channel)),
    unsubscribe: ({ which, channel }) => this.#client(which)?.unsubscribe(named(channel)),
    flip: ({ which, channel }) => {
      const client = this.#client(which);
      client?.unsubscribe(named(channel));
      setImmediate(() => client?.subscribe(named(channel)));
    },
    flipInOneTurn: ({ which, channel }) => {
      this.#client(which)?.unsubscribe(named(channel));
      this.#client(which)?.subscribe(named(channel));
    },
    resume: ({ which }) => this.#client(which)?.breakOff(),
    stall: ({ which, size }) => this.#client(which)?.stall(LONGEST_MS * (size / 1_000)),
    slowDown: ({ which, size }) => this.#client(which)?.slowDown(2 * LONGEST_MS * (size / 1_000)),
    flood: ({ which }) => this.#client(which)?.flood(),
    leave: ({ which }) => this.#leave(which),
    beMoved: ({ which, size }) => this.#move(which, size),
    set: ({ channel, which }) => this.feed.set(named(channel), which),
    delete: ({ channel, which }) => this.feed.delete(named(channel), which),
    purgeKey: ({ channel, which }) => {
      this.feed.purge(named(channel), which);
      this.feed.set(named(channel), which + 1);
    },
    spoilKey: ({ channel, which }) => {
      this.#spoilt.push([named(channel), keyOf(which)]);
      for (const { tap } of this.#clients) tap.neverBack.mayReturn(named(channel), keyOf(which));
      this.feed.spoil(named(channel), which);
    },
    burst: ({ size }) => this.#burst(1 + Math.floor((BURST * size) / 1_000)),
    bigTick: ({ channel }) => this.#bigTick(named(channel)),
    criticalBehindBigTick: ({ channel }) => {
      this.#bigTick(named(channel));
      for (let i = 0; i < 3; i++) this.feed.critical(named(channel), BIG_BYTES / 2);
    },
    critical: ({ channel }) => this.feed.critical(named(channel)),
    cosmetic: ({ channel }) => this.feed.cosmetic(named(channel)),
    killShard: ({ which }) => this.#beside(() => this.shards.kill(which)),
    drainShard: ({ which }) => this.#beside(() => this.shards.drain(which)),
    takePort: ({ which }) => this.#beside(() => this.shards.takePort(which)),
    exhaustFiles: ({ which, size }) =>
      this.#beside(() => this.shards.exhaustFiles(which, LONGEST_MS * (size / 1_000))),
    restartNats: ({ which, size }) =>
      this.#toNats(() =>
        restartNats(this.#scene, { hard: which % 2 === 0, ms: LONGEST_MS * (size / 1_000) }),
      ),
    setBack: ({ size }) => this.#toNats(() => setBack(this.#scene, size % 30)),
    deleteStream: ({ which }) =>
      this.#toNats(() => deleteStream(this.#scene, which % 2 === 0 ? 'WEIR_STATE' : 'WEIR_CRITICAL')),
  };

  #connect({ which, channel, size }: Action): void {
    if (this.#clients.length >= MAX_CLIENTS) return;
    const channels = CHANNELS.filter((_, at) => at === channel % CHANNELS.length || (size >> at) % 2 === 1);
    const client = new DrivenClient({
      name: `client ${++this.#connected}`,
      url: this.cluster.routerUrl,
      pool: POOLS[which % POOLS.length],
      channels,
      feed: this.feed,
      mayDiffer: () => this.#unsettled > 0,
    });
    // A shard may not have noticed the loss yet.
    client.tap.neverBack.lost(this.#lostUpTo);
    for (const [spoiltChannel, key] of this.#spoilt) client.tap.neverBack.mayReturn(spoiltChannel, key);
    this.#clients.push(client);
  }

  #leave(which: number): void {
    if (this.#clients.length < 2) return;
    const client = this.#client(which);
    client?.close();
    this.#faults.push(...(client?.faults ?? []));
    this.#clients = this.#clients.filter((one) => one !== client);
  }

  #client(which: number): DrivenClient | undefined {
    return this.#clients[which % Math.max(1, this.#clients.length)];
  }

  /** Asks the shard to move some of its clients away. */
  #move(which: number, size: number): void {
    const { living } = this.shards;
    const member = living[which % Math.max(1, living.length)];
    if (member === undefined) return;
    const request = encodeShedRequest({ moves: 1 + (size % 5), withinMs: MOVE_MS });
    // A request without an answer had no effect; NATS may be away.
    void this.feed.nats
      .request(subjects.shed(member.id), request, { timeout: MOVE_MS })
      .catch(() => undefined);
  }

  #burst(messages: number): void {
    for (let i = 0; i < messages; i++) {
      if (i % 5 === 4) this.feed.critical(named(i));
      else this.feed.set(named(i), i >> 1);
    }
  }

  #bigTick(channel: string): void {
    for (let key = 0; key < BIG_KEYS; key++) this.feed.set(channel, key, BIG_BYTES);
  }

  get #scene() {
    return {
      nats: this.cluster.nats,
      feed: this.feed,
      burst: (messages: number) => this.#burst(messages),
      onLoss: () => {
        this.feed.forgetCritical();
        this.#lostUpTo = this.feed.version;
        for (const { tap } of this.#clients) tap.neverBack.lost(this.#lostUpTo);
      },
    };
  }

  #toNats(run: () => Promise<void>): void {
    this.#unsettled++;
    this.#natsEvents = this.#natsEvents.then(run).then(() => allCurrent(this.shards.living));
    const event = this.#natsEvents.finally(() => {
      this.#unsettled--;
    });
    this.#beside(() => event);
  }

  #beside(run: () => Promise<void>): void {
    const done = run()
      .catch((error: unknown) => {
        this.#faults.push(error instanceof Error ? error.message : String(error));
      })
      .finally(() => this.#background.delete(done));
    this.#background.add(done);
  }
}

function named(channel: number): string {
  return CHANNELS[channel % CHANNELS.length] ?? CHANNELS[0];
}

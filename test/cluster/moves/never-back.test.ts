// Two shards, and clients that change channels, disconnect, resume and move while keys change all the time.
import { connect as connectNats } from '@nats-io/transport-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BareClient } from '../../harness/bare-client.ts';
import { elapsed, metric, SmallCluster, until } from '../../harness/small-cluster.ts';

const CHANNELS = ['a', 'b', 'c', 'd'] as const;
const KEYS = 25;
const CLIENTS = 12;
const SEED = 20_261_129;

/** Random numbers that are the same in every run (mulberry32). */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** A client across its streams; values are versions. */
class Wanderer {
  readonly back: string[] = [];
  moves = 0;
  resumes = 0;
  readonly #routerUrl: string;
  readonly #last = new Map<string, number>();
  readonly #channels: Set<string>;
  #client: BareClient | undefined;
  #position: string | undefined;
  #moving = false;

  constructor(routerUrl: string, channels: readonly string[]) {
    this.#routerUrl = routerUrl;
    this.#channels = new Set(channels);
  }

  get position(): string | undefined {
    return this.#position;
  }

  /** Between the `move` and the `welcome` of the shard in the move. */
  get moving(): boolean {
    return this.#moving;
  }

  async come(): Promise<void> {
    const query = `channels=${[...this.#channels].join()}`;
    // A client that reconnects without a position starts anew.
    if (this.#position === undefined) this.#last.clear();
    else this.resumes++;
    await this.#open(await BareClient.connect(this.#routerUrl, query, this.#position));
  }

  flip(channel: string): void {
    if (this.#moving || this.#client === undefined) return;
    const has = this.#channels.has(channel);
    if (has && this.#channels.size === 1) return;
    if (has) this.#channels.delete(channel);
    else {
      this.#channels.add(channel);
      this.#position = undefined;
    }
    this.#client.ws.send(JSON.stringify({ type: has ? 'unsubscribe' : 'subscribe', channels: [channel] }));
  }

  async breakOff(): Promise<void> {
    if (this.#moving) return;
    this.leave();
    await this.come();
  }

  stall(ms: number): void {
    const { ws } = this.#client ?? {};
    ws?.pause();
    setTimeout(() => ws?.resume(), ms);
  }

  leave(): void {
    const client = this.#client;
    this.#client = undefined;
    client?.ws.removeAllListeners('message');
    client?.ws.terminate();
  }

  /** The new stream counts from its `welcome` on, and the previous one no longer. */
  async #open(client: BareClient): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      client.ws.on('message', (data) => {
        const message = JSON.parse(String(data));
        if (message.type === 'welcome') {
          this.leave();
          this.#client = client;
          this.#moving = false;
          resolve();
        }
        if (this.#client === client) this.#take(message);
      });
      client.ws.on('close', (code) => reject(new Error(`closed with ${code} before its welcome`)));
    });
  }

  // biome-ignore lint/suspicious/noExplicitAny: parsed frames.
  #take(message: any): void {
    if (message.type === 'position') this.#position = message.pos;
    if (message.type === 'move') void this.#move(message.url);
    if (message.type !== 'state') return;
    for (const [key, version] of Object.entries<number>(message.set)) {
      const of = `${message.channel} ${key}`;
      const last = this.#last.get(of) ?? 0;
      if (version < last) this.back.push(`${of}: ${last} -> ${version}`);
      this.#last.set(of, version);
    }
  }

  async #move(url: string): Promise<void> {
    if (this.#moving || this.#position === undefined) return;
    this.#moving = true;
    this.moves++;
    await this.#open(await BareClient.connect(url, '', this.#position));
  }
}

describe('values on real sockets', () => {
  let cluster: SmallCluster;

  beforeAll(async () => {
    cluster = await SmallCluster.start();
    const env = {
      WEIR_THREADS: '2',
      WEIR_MIN_STAY_MS: '1000',
      WEIR_CLIENT_MESSAGES_PER_SECOND: '100',
    };
    for (const id of ['one', 'two']) await cluster.shard('mobile', id, env);
  });

  afterAll(() => cluster.stop());

  it('never go back, whatever clients do', async () => {
    const nats = await connectNats({ servers: cluster.nats.url });
    const random = seeded(SEED);
    const pick = <T>(of: readonly T[]): T => of[Math.floor(random() * of.length)] as T;
    let version = 0;
    const feed = setInterval(() => {
      version++;
      for (let i = 0; i < 40; i++)
        nats.publish(`weir.state.${pick(CHANNELS)}.k${Math.floor(random() * KEYS)}`, String(version));
    }, 50);
    const clients = Array.from({ length: CLIENTS }, () => new Wanderer(cluster.routerUrl, [pick(CHANNELS)]));
    await Promise.all(clients.map((client) => client.come()));
    await until(() => clients.every(({ position }) => position !== undefined), 'all are served');
    for (let round = 0; round < 90; round++) {
      const client = pick(clients);
      const what = random();
      if (what < 0.6) client.flip(pick(CHANNELS));
      else if (what < 0.8) await client.breakOff();
      else if (what < 0.9) client.stall(300);
      else {
        const request = JSON.stringify({ v: 1, moves: 3, withinMs: 2_000 });
        await nats.request(`weir.ctl.shed.${pick(['one', 'two'])}`, request, { timeout: 2_000 });
      }
      await elapsed(random() * 100);
    }
    clearInterval(feed);
    await nats.close();
    await until(() => clients.every(({ moving }) => !moving), 'the last moves have ended');
    // At once: otherwise another one may begin, and find no shard any more.
    for (const client of clients) client.leave();
    expect(clients.flatMap(({ back }) => back)).toEqual([]);
    expect(clients.reduce((sum, { resumes }) => sum + resumes, 0)).toBeGreaterThan(5);
    expect(clients.reduce((sum, { moves }) => sum + moves, 0)).toBeGreaterThan(0);
    for (const shard of cluster.running.filter(({ name }) => name === 'shard'))
      expect(await metric(shard, 'weir_shard_resumes_total{outcome="late"}')).toBe(0);
  });
});

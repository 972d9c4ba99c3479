// One client of a random sequence: the SDK over real sockets, with its oracles.
import type { Weir } from '@weir/client';
import { connect } from '@weir/client';
import { versionOf } from '../../harness/never-back.ts';
import { OnceInOrder } from '../../harness/once-in-order.ts';
import type { State } from '../../harness/same-state.ts';
import type { Feed } from './feed.ts';
import { Tap } from './tapped-socket.ts';

export interface DrivenOptions {
  readonly name: string;
  readonly url: string;
  readonly pool: string | undefined;
  readonly channels: readonly string[];
  readonly feed: Feed;
  readonly mayDiffer: () => boolean;
}

/** Interval between two reads of a slow client. */
const SLOW_EVERY_MS = 100;
const FLOOD_MESSAGES = 80;

export class DrivenClient {
  readonly name: string;
  readonly weir: Weir;
  readonly tap: Tap;
  readonly #feed: Feed;
  readonly #critical = new Map<string, OnceInOrder>();
  readonly #faults: string[] = [];
  readonly #timers = new Set<NodeJS.Timeout>();

  constructor({ name, url, pool, channels, feed, mayDiffer }: DrivenOptions) {
    this.name = name;
    this.#feed = feed;
    this.tap = new Tap(name, mayDiffer);
    const reconnect = { spreadMs: 500, baseMs: 200, capMs: 1_000 };
    this.weir = connect({
      url,
      channels,
      class: pool,
      WebSocket: this.tap.WebSocket,
      reconnect,
      conflateMs: 0,
    });
    this.weir.on('error', (error) => this.#faults.push(`${name}: ${error.code} ${error.message}`));
    for (const name of ['retry', 'open', 'move'] as const)
      this.weir.on(name, (event: unknown) => this.tap.remark(`${name} ${JSON.stringify(event)}`));
    for (const channel of channels) this.#listen(channel);
  }

  get channels(): readonly string[] {
    return [...this.#critical.keys()];
  }

  get faults(): readonly string[] {
    return [
      ...this.#faults,
      ...this.tap.neverBack.faults,
      ...[...this.#critical.values()].flatMap(({ faults }) => faults),
    ];
  }

  /** The client's maps, as the application sees them. */
  get state(): State {
    return new Map(
      this.channels.map((channel) => [
        channel,
        new Map([...this.weir.channel(channel).state].map(([key, value]) => [key, JSON.stringify(value)])),
      ]),
    );
  }

  /** Critical messages that the client lacks and that no gap declared lost. */
  get missing(): readonly string[] {
    return [...this.#critical].flatMap(([channel, oracle]) =>
      oracle
        .missing(this.#feed.kept(channel))
        .map((number) => `${this.name} lacks critical ${number} of ${channel}`),
    );
  }

  subscribe(channel: string): void {
    if (this.#critical.has(channel)) return;
    this.tap.remark(`subscribe ${channel}`);
    this.weir.channel(channel).subscribe();
    this.#listen(channel);
  }

  unsubscribe(channel: string): void {
    if (this.#critical.size < 2 || !this.#critical.has(channel)) return;
    this.tap.remark(`unsubscribe ${channel}`);
    this.weir.channel(channel).unsubscribe();
    this.#faults.push(...(this.#critical.get(channel)?.faults ?? []));
    this.#critical.delete(channel);
  }

  /** Breaks its network without a Close. */
  breakOff(): void {
    this.tap.socket?.terminate();
  }

  /** Stops it from reading for a while. */
  stall(ms: number): void {
    const { socket } = this.tap;
    socket?.pause();
    this.#later(() => socket?.resume(), ms);
  }

  /** Lets it read only for a moment in each tenth of a second. */
  slowDown(ms: number): void {
    for (let atMs = 0; atMs < ms; atMs += SLOW_EVERY_MS) {
      this.#later(() => this.stall(SLOW_EVERY_MS * 0.9), atMs);
    }
  }

  /** Sends more messages than a client may. */
  flood(): void {
    const { socket } = this.tap;
    const [channel] = this.channels;
    for (let i = 0; i < FLOOD_MESSAGES; i++) {
      socket?.send(JSON.stringify({ type: 'subscribe', channels: [channel] }));
    }
  }

  close(): void {
    for (const timer of this.#timers) clearTimeout(timer);
    this.tap.socket?.resume();
    this.weir.close();
  }

  #listen(name: string): void {
    const oracle = new OnceInOrder(`${this.name} ${name}`);
    this.#critical.set(name, oracle);
    const channel = this.weir.channel(name);
    const isCurrent = (): boolean => this.#critical.get(name) === oracle;
    channel.on('critical', ({ data }) => {
      if (!isCurrent()) return;
      const { length } = oracle.faults;
      oracle.got(versionOf(data) ?? 0);
      if (oracle.faults.length > length) oracle.faults.push(this.tap.trace);
    });
    channel.on('gap', (event) => {
      this.tap.remark(`gap event ${name} ${JSON.stringify(event)}`);
      if (isCurrent()) oracle.gap();
    });
    channel.on('state', ({ snapshot }) => {
      if (snapshot && isCurrent()) oracle.began(this.#feed.version);
    });
  }

  #later(run: () => void, ms: number): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      run();
    }, ms);
    this.#timers.add(timer);
  }
}

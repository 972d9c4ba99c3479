// Owns what the page shows beside the cluster: lines, the naive server, the market, the crowd, and the buttons.
// Plays only while somebody watches, so that an `npm start` without a browser costs nothing.
import { Crowd } from '../crowd/crowd.ts';
import { Line } from '../lines/line.ts';
import type { Live, Reply, Tell } from '../page-server/live.ts';
import type { ServiceStatus } from '../supervise/service-spec.ts';
import { Actions, type Actors, CannotError } from './actions.ts';
import { Feed } from './feed.ts';
import { MARKET_CHANNEL, Market } from './market.ts';
import { NAIVE_LIMIT_BYTES, NaiveServer } from './naive-server.ts';
import { type ClusterView, observe } from './observe.ts';
import { type ActionName, type DeviceName, type Order, parseOrder } from './orders.ts';
import { type Publication, Publisher } from './publisher.ts';
import { playRecording } from './recording.ts';

export interface StageOptions {
  readonly services: () => readonly ServiceStatus[];
  readonly signal: Actors['signal'];
  readonly nats: Actors['nats'];
  readonly apiKey: string | undefined;
  /** A file to replay. */
  readonly recording: string;
}

const VIEW_MS = 500;
const MAX_WATCHERS = 20;
/** A page that is loaded anew finds its crowd again. */
const LEAVE_MS = 10_000;

export class Stage implements Live {
  readonly #options: StageOptions;
  readonly #lines: ReadonlyMap<DeviceName, Line>;
  readonly #naive: NaiveServer;
  readonly #publisher: Publisher;
  readonly #feed: Feed;
  readonly #crowd: Crowd;
  readonly #actions: Actions;
  readonly #ending = new AbortController();
  readonly #watchers: Set<Tell> = new Set();
  #acting: ActionName | undefined;
  #action: Promise<unknown> = Promise.resolve();
  #looking: NodeJS.Timeout | undefined;
  #leaving: NodeJS.Timeout | undefined;
  #isLooking = false;
  #isReplaying = false;
  /** The last naive connections that were too far behind. */
  readonly #naiveCuts: number[] = [];

  private constructor(
    options: StageOptions,
    { lines, naive, feed, publisher, router }: Parts & { readonly router: string },
  ) {
    this.#options = options;
    this.#lines = lines;
    this.#naive = naive;
    this.#feed = feed;
    this.#publisher = publisher;
    this.#crowd = new Crowd(router, MARKET_CHANNEL);
    const { signal, nats, services } = options;
    this.#actions = new Actions(
      {
        signal,
        nats,
        feed,
        crowd: this.#crowd,
        lines: () => lines.values(),
        look: () => observe(services()),
      },
      this.#ending.signal,
    );
  }

  static async open(options: StageOptions): Promise<Stage> {
    const services = options.services();
    const urlsOf = (name: string): readonly string[] =>
      services.filter(({ spec }) => spec.name === name).map(({ url }) => url);
    const [router = '', publisherUrl = ''] = [...urlsOf('router'), ...urlsOf('publisher')];
    const publisher = new Publisher(publisherUrl, options.apiKey);
    let kept: (message: Publication) => void = () => {};
    const feed = new Feed({ market: new Market(Math.random), publisher, kept: (message) => kept(message) });
    const naive = await NaiveServer.open((id) =>
      JSON.stringify({ hello: id, values: Object.fromEntries(feed.values()) }),
    );
    kept = ({ lane, key, data }) => naive.broadcast(JSON.stringify({ lane, key, data }));
    const weir = [router, ...urlsOf('shard')];
    const lines = new Map<DeviceName, Line>([
      ['fibre', await Line.open(weir, 'fibre')],
      ['phone', await Line.open(weir, 'weak-lte')],
      ['hotel', await Line.open(weir, 'hotel')],
      ['naive', await Line.open([naive.url], 'hotel')],
    ]);
    return new Stage(options, { lines, naive, feed, publisher, router });
  }

  /** What the page must know to connect its devices. */
  describe(): unknown {
    return {
      channel: MARKET_CHANNEL,
      naive: this.#naive.url,
      naiveLimitBytes: NAIVE_LIMIT_BYTES,
      ownNats: this.#options.nats !== undefined,
      lines: Object.fromEntries([...this.#lines].map(([device, line]) => [device, line.addresses()])),
    };
  }

  watch(tell: Tell): (() => void) | undefined {
    if (this.#watchers.size >= MAX_WATCHERS) return undefined;
    clearTimeout(this.#leaving);
    this.#watchers.add(tell);
    this.#feed.start();
    this.#looking ??= setInterval(() => void this.#look(), VIEW_MS);
    void this.#look();
    return () => {
      this.#watchers.delete(tell);
      if (this.#watchers.size === 0) this.#leaving = setTimeout(() => void this.#rest(), LEAVE_MS);
    };
  }

  async act(body: string): Promise<Reply> {
    const order = parseOrder(body);
    if (order === undefined) return { status: 400, body: { error: 'this is nothing that can be asked for' } };
    switch (order.do) {
      case 'crowd':
        this.#crowd.resize(order.clients);
        return { status: 200, body: { clients: this.#crowd.clients } };
      case 'line':
        this.#lines.get(order.device)?.change(order.name);
        void this.#look();
        return { status: 200, body: {} };
      case 'publish': {
        const { status, body: answer } = await this.#publisher.forward(order.message);
        return { status: status === 0 ? 503 : status, body: answer ?? { error: 'no publisher answers' } };
      }
      case 'replay':
        return this.#replay();
      default:
        return this.#begin(order);
    }
  }

  async close(): Promise<void> {
    this.#ending.abort(new Error('ending'));
    clearTimeout(this.#leaving);
    clearInterval(this.#looking);
    await this.#action;
    await Promise.all([this.#feed.stop(), this.#crowd.close(), this.#naive.close()]);
    await Promise.all([...this.#lines.values()].map((line) => line.close()));
  }

  #begin({ do: action, shard }: Extract<Order, { readonly do: ActionName }>): Reply {
    if (this.#acting !== undefined)
      return { status: 409, body: { error: `wait for the end of "${this.#acting}"` } };
    this.#acting = action;
    this.#tell('began', { action });
    this.#action = this.#actions.run(action, shard).then(
      (text) => this.#over({ action, text }),
      (error) => this.#over({ action, error: error instanceof CannotError ? error.message : 'it failed' }),
    );
    return { status: 202, body: {} };
  }

  async #replay(): Promise<Reply> {
    if (this.#isReplaying) return { status: 409, body: { error: 'it is being played already' } };
    this.#isReplaying = true;
    try {
      const messages = await playRecording(this.#options.recording, this.#publisher, this.#ending.signal);
      return { status: 200, body: { messages } };
    } finally {
      this.#isReplaying = false;
    }
  }

  #over(outcome: { readonly action: ActionName; readonly text?: string; readonly error?: string }): void {
    this.#acting = undefined;
    this.#tell('ended', outcome);
  }

  async #look(): Promise<void> {
    if (this.#isLooking || this.#watchers.size === 0) return;
    this.#isLooking = true;
    const cluster = await observe(this.#options.services());
    this.#isLooking = false;
    if (!this.#ending.signal.aborted) this.#tell('view', this.#view(cluster));
  }

  #view(cluster: ClusterView): unknown {
    return {
      ...cluster,
      now: Date.now(),
      acting: this.#acting,
      feed: this.#feed.counts(),
      crowd: this.#crowd.report,
      lines: Object.fromEntries(
        [...this.#lines].map(([device, { name, isCut }]) => [device, { name, isCut }]),
      ),
      naive: { clients: this.#naiveClients(), cut: this.#naiveCuts },
    };
  }

  /** Ends a naive connection whose queue is too long for this machine. */
  #naiveClients(): readonly { readonly id: number; readonly waitingBytes: number }[] {
    return this.#naive.clients().map(({ id, writtenBytes, port }) => {
      const delivered = this.#lines.get('naive')?.deliveredOf(port);
      const waitingBytes = delivered === undefined ? 0 : Math.max(0, writtenBytes - delivered);
      if (waitingBytes > NAIVE_LIMIT_BYTES) {
        this.#naiveCuts.push(id);
        if (this.#naiveCuts.length > MAX_WATCHERS) this.#naiveCuts.shift();
        this.#naive.cut(id);
      }
      return { id, waitingBytes };
    });
  }

  #tell(event: string, data: unknown): void {
    for (const tell of this.#watchers) tell(event, data);
  }

  /** Nobody watches any more. */
  async #rest(): Promise<void> {
    clearInterval(this.#looking);
    this.#looking = undefined;
    await Promise.all([this.#feed.stop(), this.#crowd.close()]);
  }
}

interface Parts {
  readonly lines: ReadonlyMap<DeviceName, Line>;
  readonly naive: NaiveServer;
  readonly feed: Feed;
  readonly publisher: Publisher;
}

// The client, read first: which connection counts, what is subscribed to, and what follows an end.
//
//   Path (router ─▶ redirect ─▶ stream ─▶ welcome) ─▶ Wire ─▶ Feed per channel ─▶ map, events, iterators
//     ▲                                                 │
//     └──────── RetryPolicy ◀── closed ─────────────────┘   a move is a Path beside a Wire that still counts
import type { ServerMessage } from '@weir/protocol';
import type { Target } from './address.ts';
import { moveTarget, parseUrl } from './address.ts';
import { afterClose, codes } from './after-close.ts';
import { checkChannels } from './channels.ts';
import { stopError, unheardRetries, WARN_AT, WeirError } from './errors.ts';
import { Feed } from './feed.ts';
import { NO_INFO } from './info.ts';
import { Listeners } from './listeners.ts';
import { Memory } from './memory.ts';
import { checkOptions } from './options.ts';
import { Pace } from './pace.ts';
import type { PathEnd, Welcomed } from './path.ts';
import { Path } from './path.ts';
import type { Life, Platform } from './platform.ts';
import type { CloseEvent, ConnectOptions, Info, OpenEvent, Status, Weir, WeirEvents } from './public.ts';
import { Renewal } from './renewal.ts';
import { RetryPolicy } from './retry.ts';
import { Subscriptions } from './subscriptions.ts';
import { Telling } from './telling.ts';
import { socketClass, streamParameters, visitTarget } from './visit.ts';
import { Watch } from './watch.ts';
import type { Wire } from './wire.ts';

export class Client extends Listeners<WeirEvents> implements Weir {
  readonly #options: ConnectOptions;
  readonly #platform: Platform;
  readonly #policy: RetryPolicy;
  readonly #pace: Pace;
  readonly #watch: Watch;
  readonly #renewal: Renewal;
  readonly #subscriptions: Subscriptions;
  readonly #telling: Telling;
  readonly #changed = new Set<Feed>();
  #stopLife: (() => void) | undefined;
  #current: Wire | undefined;
  #openedMs = 0;
  #path: Path | undefined;
  #retryTimer: unknown;
  #position: string | undefined;
  /** New channels begin with so many critical messages. */
  #last = 0;
  /** Keeps the position beyond the life of this page. */
  #memory: Memory | undefined;
  #recalled: Promise<void> | undefined;
  /** The position is of the page before: the state that it speaks for is not here. */
  #stateIsGone = false;
  /** Spares the next visit to the router the measurement, as long as nothing speaks against the last one. */
  #hint: string | undefined;
  #status: Status = 'closed';
  #info: Info = NO_INFO;

  constructor(options: ConnectOptions, platform: Platform) {
    super(['open', 'status', 'move', 'retry', 'error', 'close']);
    checkOptions(options);
    parseUrl(options.url, platform.base);
    this.#options = options;
    this.#platform = platform;
    this.#subscriptions = new Subscriptions(options.channels ?? []);
    this.#telling = new Telling(platform, () => {
      this.#sync();
      if (this.#current === undefined && this.#retryTimer === undefined) this.#visitRouter();
    });
    this.#policy = new RetryPolicy(options.reconnect ?? {}, () => platform.random());
    const gapMs = Math.min(Math.max(options.conflateMs ?? 50, 0), 10_000);
    this.#pace = new Pace(platform, gapMs, () => this.#announce());
    const visit = (): void => this.#visitRouter();
    this.#watch = new Watch(platform, options.quietMs, visit);
    if (options.resume) this.#memory = new Memory(options.resume, `weir ${options.url}`);
    this.#renewal = new Renewal(platform, visit);
    this.connect();
  }

  get status(): Status {
    return this.#status;
  }

  get info(): Info {
    return this.#info;
  }

  channel(name: string): Feed {
    const { feeds, wanted } = this.#subscriptions;
    let feed = feeds.get(name);
    if (feed === undefined) {
      checkChannels([name]);
      feed = new Feed(name, {
        queueLimit: Math.max(1, this.#options.queueLimit ?? 1_000),
        wants: (channel) => wanted.has(channel),
        subscribe: (channel) => this.#subscribe(channel),
        unsubscribe: (channel) => this.#unsubscribe(channel),
        changed: (changed) => {
          this.#changed.add(changed);
          this.#pace.request();
        },
      });
      feeds.set(name, feed);
      if (this.#status === 'closed') feed.end(undefined);
    }
    return feed;
  }

  connect(): void {
    this.resume();
    if (this.#status !== 'closed') return;
    this.#stopLife = this.#platform.onLife((what) => this.#live(what));
    this.#pace.start();
    for (const feed of this.#subscriptions.feeds.values()) feed.begin();
    this.#begin();
  }

  close(): void {
    this.#finish({ code: codes.normal, reason: 'closed by the application' });
  }

  pause(): void {
    this.#rest('paused');
  }

  resume(): void {
    if (this.#status === 'paused') this.#begin();
  }

  #begin(): void {
    this.#setStatus('waiting');
    this.#visitRouter();
  }

  #live(what: Life): void {
    // The page goes away, or sleeps where an open connection would keep it from sleeping; `shown` ends that.
    if (what === 'left') this.#rest('waiting');
    // Also beside an open connection: its path has perhaps changed, which nothing would tell for a while.
    else if (what === 'online' || this.#current === undefined) this.#visitRouter();
    else this.#watch.look();
  }

  /** No connection and no try of one, until something ends it. */
  #rest(status: 'paused' | 'waiting'): void {
    if (this.#isOff) return;
    this.#stopTrying();
    this.#setStatus(status);
  }

  get #isOff(): boolean {
    return this.#status === 'closed' || this.#status === 'paused';
  }

  #stopTrying(): void {
    this.#save();
    this.#platform.clearTimeout(this.#retryTimer);
    this.#retryTimer = undefined;
    this.#renewal.stop();
    this.#watch.stop();
    this.#cancelPath();
    this.#current?.close();
    this.#current = undefined;
  }

  #cancelPath(): void {
    this.#path?.cancel();
    this.#path = undefined;
  }

  // ── towards a stream ──────────────────────────────────────────────────────────────────────────────────────

  /** Opens a new connection; one that is open goes on until the new one is welcomed. */
  #visitRouter(): void {
    // With nothing to subscribe to there is nothing to ask for: `subscribe` comes back here.
    if (this.#isOff || this.#path !== undefined || this.#subscriptions.wanted.size === 0) return;
    this.#platform.clearTimeout(this.#retryTimer);
    this.#retryTimer = undefined;
    if (this.#current === undefined) {
      this.#watch.start();
      this.#setStatus('connecting');
    }
    this.#open('refresh', async () => {
      this.#recalled ??= this.#recall();
      await this.#recalled;
      return visitTarget(this.#options, {
        base: this.#platform.base,
        channels: [...this.#subscriptions.wanted],
        hint: this.#hint,
      });
    });
  }

  #open(reason: string, target: () => Target | Promise<Target>): void {
    if (this.#path !== undefined || this.#isOff) return;
    this.#info = { ...this.#info, attempts: this.#info.attempts + 1 };
    this.#path = new Path({
      platform: this.#platform,
      webSocket: () => socketClass(this.#options, this.#platform),
      target,
      position: () => this.#position,
      more: (resume) => {
        const isNew = resume !== undefined || this.#info.session === undefined;
        const stateIsGone = this.#stateIsGone || this.#subscriptions.hasHoles;
        return streamParameters(this.#options, { isNew, stateIsGone });
      },
      onWelcome: (welcomed) => this.#adopt(welcomed, reason),
      onEnd: (end) => this.#pathEnded(end),
    });
  }

  async #recall(): Promise<void> {
    const saved = await this.#memory?.load();
    if (saved === undefined || this.#position !== undefined) return;
    this.#position = saved.position;
    this.#stateIsGone = true;
    for (const channel of this.#subscriptions.wanted) {
      const id = saved.ids[channel];
      if (typeof id === 'number' && id < 2 ** 53) this.channel(channel).recall(id);
    }
  }

  /** The switch: from the new stream's welcome on, the old one's frames no longer count. */
  #adopt({ wire, welcome, redirect, resume }: Welcomed, reason: string): void {
    const old = this.#current;
    const from = { pool: this.#info.pool, shard: this.#info.shard };
    this.#path = undefined;
    this.#current = wire;
    this.#openedMs = this.#platform.now();
    wire.onMessage = (message) => this.#receive(message);
    wire.onClose = (code, closeReason) => this.#streamEnded({ code, reason: closeReason });
    old?.close(codes.moved);
    this.#watch.start(wire, welcome.beatMs);
    // A text cannot be renewed.
    this.#renewal.begin(typeof this.#options.token === 'function' ? welcome.expiresInMs : 0);

    const { pool, shard, session, tickMs, lastMax = 0 } = welcome;
    this.#last = Math.min(this.#options.critical?.last ?? 0, lastMax);
    const { confidence } = redirect;
    // In another pool than the one that it was measured for, an old hint would lead back.
    this.#hint = redirect.hint ?? (pool === from.pool ? this.#hint : undefined);
    // A moved client is not measured again: what was measured last still holds.
    const rttMs = redirect.rttMs ?? this.#info.rttMs;
    const kbps = redirect.kbps ?? this.#info.kbps;
    const at = { pool, shard, rttMs, kbps, confidence };
    this.#info = { ...this.#info, ...at, session, tickMs };
    for (const feed of this.#subscriptions.begin(welcome.channels)) {
      feed.streamBegan();
      if (resume === undefined && feed.subscribed) feed.declareLoss(old ? 'keep' : 'forget');
    }
    this.#sync();
    this.#setStatus('open');
    const event: OpenEvent = { ...at, resumed: welcome.resumed };
    if (old === undefined) this.emit('open', event);
    else this.emit('move', { ...event, reason, from });
  }

  // ── on the stream ─────────────────────────────────────────────────────────────────────────────────────────

  #receive(message: ServerMessage): void {
    switch (message.type) {
      case 'state':
      case 'critical':
      case 'cosmetic':
      case 'gap':
        if (this.#subscriptions.hears(message)) this.channel(message.channel).receive(message);
        if (message.type === 'gap' && message.reset && this.#path?.shown) {
          // Ids begin anew. A shard that was shown the position before would say so again, and send them again.
          this.#cancelPath();
          this.#visitRouter();
        }
        if (this.#memory && message.type !== 'state') this.#pace.request();
        break;
      case 'position':
        this.#subscriptions.began(message.channels ?? []);
        this.#position = message.pos;
        this.#stateIsGone = false;
        if (this.#memory) this.#pace.request();
        break;
      case 'move':
        this.#open(message.reason, () => moveTarget(message.url));
        break;
      case 'error':
        this.#refused(message.code, message.channel);
        break;
      default: // welcome and redirect have their place in the path; later versions may say more
    }
  }

  #refused(code: WeirError['code'], channel: string | undefined): void {
    if (channel !== undefined) this.#subscriptions.refused(channel);
    this.#fail(new WeirError(code, `the shard refused ${channel ?? 'a request'}: ${code}`, { channel }));
  }

  #subscribe(channel: string): void {
    if (this.#status === 'closed') {
      throw new WeirError('CLOSED', 'this client is closed; connect() opens it again', { channel });
    }
    if (this.#subscriptions.wanted.has(channel)) return;
    this.#subscriptions.add(channel);
    if (this.#subscriptions.hasHoles) {
      // A try that has named its position already has not asked for the state.
      this.#cancelPath();
    }
    this.#telling.request();
  }

  #unsubscribe(channel: string): void {
    if (this.#subscriptions.leave(channel)) this.#telling.request();
  }

  /** Tells the stream what is wanted and not served, and the reverse. */
  #sync(): void {
    this.#subscriptions.forgetUnwanted();
    if (this.#current === undefined) return;
    for (const message of this.#subscriptions.take(this.#last)) this.#current.send(message);
  }

  #save(): void {
    void this.#memory?.save(this.#position, this.#subscriptions.feeds.values());
  }

  #announce(): void {
    const changed = [...this.#changed];
    this.#changed.clear();
    for (const feed of changed) feed.announce();
    this.#save();
  }

  // ── ends ──────────────────────────────────────────────────────────────────────────────────────────────────

  #streamEnded(close: CloseEvent): void {
    this.#current = undefined;
    this.#renewal.stop();
    this.#watch.start();
    this.#info = { ...this.#info, lastClose: close };
    if (close.code === codes.tooSlow || close.code === codes.noPong) this.#hint = undefined;
    const after = afterClose(close.code);
    if (after === 'stop') this.#finish(close, stopError(close.code, close.reason));
    // A move is on its way: its try is now the reconnect.
    else if (this.#path !== undefined) this.#setStatus('connecting');
    else if (close.code === codes.normal) this.#finish(close);
    else this.#comeBack(close, 'open', this.#platform.now() - this.#openedMs);
  }

  #pathEnded(end: PathEnd): void {
    this.#path = undefined;
    // Perhaps it was the hint that did not come through; that there is no room is not its fault.
    if (end.stage === 'router' && end.code !== codes.noCapacity) this.#hint = undefined;
    this.#info = { ...this.#info, lastClose: { code: end.code, reason: end.reason } };
    if (this.#watch.isQuiet) {
      // The path is dead, and the way to another one failed: the ordinary way back begins.
      this.#current?.close();
      this.#current = undefined;
      this.#watch.start();
    }
    if (end.error?.code === 'NO_WEBSOCKET') this.#finish(end, end.error);
    // The old stream goes on until it is closed; then comes the ordinary way.
    else if (this.#current !== undefined) {
      if (end.error !== undefined) this.#fail(end.error);
      this.#renewal.again();
    } else if (afterClose(end.code) === 'stop') this.#finish(end, stopError(end.code, end.reason));
    else {
      if (end.error !== undefined) this.#fail(end.error);
      this.#comeBack(end, end.stage, 0);
    }
  }

  #comeBack({ code, reason }: CloseEvent, stage: PathEnd['stage'], livedMs: number): void {
    if (this.#status === 'closed') return;
    const inMs = this.#policy.delayMs({ code, stage, livedMs }, this.#platform.now());
    this.#retryTimer = this.#platform.setTimeout(() => this.#visitRouter(), inMs);
    this.#setStatus('waiting');
    const attempt = Math.max(1, this.#policy.failures);
    if (this.has('retry')) this.emit('retry', { attempt, inMs, code, reason, stage });
    else if (attempt === WARN_AT) console.warn(unheardRetries(this.#options.url, { code, reason, stage }));
  }

  #fail(error: WeirError): void {
    if (this.has('error')) this.emit('error', error);
    else console.error(error);
  }

  #finish({ code, reason }: CloseEvent, error?: WeirError): void {
    if (this.#status === 'closed') return;
    if (error !== undefined) this.#announce();
    this.#pace.stop();
    this.#stopLife?.();
    this.#stopTrying();
    this.#setStatus('closed');
    for (const feed of this.#subscriptions.feeds.values()) feed.end(error);
    if (error !== undefined) this.#fail(error);
    this.emit('close', { code, reason });
  }

  #setStatus(status: Status): void {
    if (this.#status === status) return;
    this.#status = status;
    this.emit('status', status);
  }
}

// For tests: the main thread and fan-out threads of a shard in one, with lanes, encoder, links and fan-outs as they are,
// but ports that the test empties, clients that are models, and a clock that it owns.
import { Duplex } from 'node:stream';
import { decodePosition } from '@weir/protocol';
import type { FrameGate } from '@weir/runtime';
import type { WebSocket } from 'ws';
import { Connection } from '../fan-out-thread/connection/connection.ts';
import { FanOut } from '../fan-out-thread/fan-out/fan-out.ts';
import { startOf } from '../main-thread/admit/resume.ts';
import { catchUp } from '../main-thread/catch-up/catch-up.ts';
import { Encoder } from '../main-thread/encode/encoder.ts';
import { Link } from '../main-thread/hand-over/link.ts';
import { CosmeticLane } from '../main-thread/lanes/cosmetic-lane.ts';
import { CriticalLane } from '../main-thread/lanes/critical-lane.ts';
import { Lanes } from '../main-thread/lanes/lanes.ts';
import { StateLane } from '../main-thread/lanes/state-lane.ts';
import type { CatchUpRequest } from '../port/catch-up.ts';
import { COUNT_PLACES, count, GAUGE_PLACES, HISTOGRAM_PLACES } from '../port/counts.ts';
import { FramesTable } from '../port/frames-table.ts';
import type { FromThread, Heads, ToThread } from '../port/messages.ts';
import { heard } from './client-ear.ts';

const SOFT_BYTES = 2_000;

/** A client as docs/protocol.md has it; its network takes bytes only when the test lets it. */
export class ModelClient extends Duplex {
  readonly state = new Map<string, Map<string, unknown>>();
  /** Ids of critical messages by channel. */
  readonly critical = new Map<string, number[]>();
  readonly gaps: { readonly channel: string; readonly after: number; readonly reset: boolean }[] = [];
  readonly cosmetic: unknown[] = [];
  /** Is shown every state frame. */
  // biome-ignore lint/suspicious/noExplicitAny: parsed frames.
  onState: (frame: any) => void = () => undefined;
  onPosition: () => void = () => undefined;
  position = '';
  beats = 0;
  readonly #halves = new Map<string, Map<string, unknown>>();
  #unanswered: Buffer[] = [];

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: string, callback: () => void): void {
    for (const { kind, data } of heard(chunk)) {
      if (kind === 'ping') this.#unanswered.push(data);
      else if (kind === 'text') this.#hear(JSON.parse(data.toString()));
      else throw new Error(`a server does not send this: ${kind} ${data.toString()}`);
    }
    callback();
  }

  /** The pings that it has not answered. */
  takePings(): readonly Buffer[] {
    return this.#unanswered.splice(0);
  }

  ids(channel: string): readonly number[] {
    return this.critical.get(channel) ?? [];
  }

  keys(channel: string): Readonly<Record<string, unknown>> {
    return Object.fromEntries([...(this.state.get(channel) ?? [])].sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  // biome-ignore lint/suspicious/noExplicitAny: parsed frames.
  #hear(frame: any): void {
    const { type, channel } = frame;
    if (type === 'position') {
      this.position = frame.pos;
      this.onPosition();
    }
    if (type === 'beat') this.beats++;
    if (type === 'gap') this.gaps.push({ channel, after: frame.after, reset: frame.reset === true });
    if (type === 'critical') this.critical.set(channel, [...this.ids(channel), frame.id]);
    if (type === 'cosmetic') this.cosmetic.push(...frame.data);
    if (type === 'state') this.#hearState(frame);
  }

  // biome-ignore lint/suspicious/noExplicitAny: parsed frames.
  #hearState(frame: any): void {
    this.onState(frame);
    const { channel } = frame;
    let half = this.#halves.get(channel);
    if (frame.snapshot === true && half === undefined) {
      half = new Map();
      this.#halves.set(channel, half);
    }
    const whole = this.state.get(channel) ?? new Map();
    this.state.set(channel, whole);
    const target = half ?? whole;
    for (const [key, value] of Object.entries(frame.set)) target.set(key, value);
    for (const key of frame.del ?? []) target.delete(key);
    if (half === undefined || frame.more === true) return;
    this.#halves.delete(channel);
    whole.clear();
    for (const [key, value] of half) whole.set(key, value);
  }
}

/** One fan-out thread and both ends of its port. */
export class ModelThread {
  readonly fanOut: FanOut;
  readonly link: Link;
  /** What is on its way, each way. */
  readonly toThread: ToThread[] = [];
  readonly toMain: FromThread[] = [];
  readonly counts: Float64Array = new Float64Array(COUNT_PLACES);
  readonly clients = new Map<Connection, ModelClient>();
  /** Slices of writing that wait for their turn. */
  readonly slices: (() => void)[] = [];
  readonly evicted: Connection[] = [];
  /** Of channels that a connection has had since it came: the critical sequence of then. */
  readonly since = new Map<Connection, Map<string, number>>();
  maxOutstanding = 0;
  #sessions = 0;
  readonly #main: ModelMain;
  /** Milliseconds that a look at the clock takes: it ends a slice after a few. */
  lookMs = 0;

  constructor(main: ModelMain) {
    this.#main = main;
    this.link = new Link({
      source: main.encoder,
      deflate: (run) => run,
      post: (message) => {
        this.toThread.push(message);
        this.maxOutstanding = Math.max(this.maxOutstanding, this.link.outstanding);
      },
      nowMs: () => main.nowMs,
    });
    const limits = {
      softBytes: SOFT_BYTES,
      hardBytes: 3 * SOFT_BYTES,
      windowBytes: 20 * SOFT_BYTES,
      lagMs: 1e9,
    };
    this.fanOut = new FanOut({
      flow: limits,
      ping: { pingMs: 100, pingBytes: 500, idlePingMs: 1_000 },
      positionMs: 200,
      idlePositionMs: 400,
      beatMs: 1_000,
      sliceMs: () => 1,
      looksAfter: 1,
      tickMs: 50,
      heads: main.heads(),
      deflate: (run) => run,
      numbers: {
        fanOut: this.counts,
        gauges: new Float64Array(GAUGE_PLACES),
        histograms: new Float64Array(HISTOGRAM_PLACES),
      },
      nowMs: () => {
        main.nowMs += this.lookMs;
        return main.nowMs;
      },
      later: (run) => this.slices.push(run),
      ask: (id, request) => this.toMain.push({ type: 'catchUp', id, request }),
      want: (want) => this.toMain.push({ type: 'want', ...want }),
      done: (number) => this.toMain.push({ type: 'done', number }),
      onEvict: (connection) => {
        this.evicted.push(connection);
        this.disconnect(connection);
      },
    });
  }

  /** A client connects; it comes back if `resume` is a position. */
  connect(channels: readonly string[], compressed = false, resume = ''): Connection {
    const socket = new ModelClient();
    const position = decodePosition(resume);
    const heads = this.#main.laneHeads();
    const connection = new Connection({
      session: `s${++this.#sessions}`,
      socket,
      ws: {} as WebSocket,
      gate: {} as FrameGate,
      compressed,
      ticket: { id: 't', pool: 'p', channels, allow: ['>'], denied: [], tls: false },
      position,
      starts: channels.map((channel) => startOf(channel, { position }, heads)),
      nowMs: this.#main.nowMs,
    });
    this.clients.set(connection, socket);
    this.since.set(connection, new Map(channels.map((channel) => [channel, heads.criticalSeq])));
    this.fanOut.add(connection);
    return connection;
  }

  disconnect(connection: Connection): void {
    this.fanOut.remove(connection);
    this.clients.delete(connection);
  }

  /** The oldest message to the thread arrives. */
  hear(): boolean {
    const message = this.toThread.shift();
    if (message === undefined) return false;
    if (message.type === 'handOver')
      this.fanOut.take({ ...message, frames: new FramesTable(message.bytes, message.rows) });
    if (message.type === 'replies') {
      for (const reply of message.replies)
        if (reply.kind === 'caughtUp') this.fanOut.caughtUp(reply.id, reply.answer);
    }
    if (message.type === 'reset') {
      if (message.lane === 'state') this.fanOut.resetState(message.heads);
      else this.fanOut.resetCritical(message.heads, message.afterSeq, message.sinceSeq);
    }
    return true;
  }

  /** The oldest message to the main thread arrives. */
  tell(): boolean {
    const message = this.toMain.shift();
    if (message === undefined) return false;
    if (message.type === 'done') this.link.done(message.number);
    if (message.type === 'want') this.link.want(message);
    if (message.type === 'catchUp') {
      const answer = (): void => this.#answer(message.id, message.request);
      if (message.request.waitsFor === 'stream') this.#main.reach(answer);
      else answer();
    }
    this.link.flushReplies();
    return true;
  }

  #answer(id: number, request: CatchUpRequest): void {
    const { criticalSeq } = this.link;
    const answer = catchUp(request, {
      source: this.#main.encoder,
      form: (run) => run,
      limits: { criticalSeq },
    });
    this.link.reply({ kind: 'caughtUp', id, answer });
    this.link.flushReplies();
  }

  slice(): boolean {
    const run = this.slices.shift();
    run?.();
    return run !== undefined;
  }

  /** A client answers its pings. */
  pong(connection: Connection): boolean {
    const pings = this.clients.get(connection)?.takePings() ?? [];
    for (const ping of pings) this.fanOut.pong(connection, ping);
    return pings.length > 0;
  }

  /** Everything on its way between the threads arrives; no client says anything. */
  flow(): void {
    while ([this.hear(), this.tell(), this.slice()].includes(true));
  }

  /** Everything on its way arrives, and every client has answered. */
  settle(): void {
    for (let i = 0; i < 100_000; i++) {
      const moved = [
        this.hear(),
        this.tell(),
        this.slice(),
        ...[...this.clients.keys()].map((connection) => this.pong(connection)),
      ];
      if (!moved.includes(true)) return;
    }
    throw new Error('it never comes to rest');
  }

  count(place: keyof typeof count): number {
    return this.counts[count[place]] ?? 0;
  }
}

/** The main thread: what is published, and the ticks. */
export class ModelMain {
  nowMs = 1_000;
  /** NATS is away. */
  stale = false;
  readonly lanes = new Lanes(
    this.#state(),
    this.#critical(),
    new CosmeticLane({ maxPerTick: 100, maxBytesPerTick: 10_000 }),
  );
  readonly encoder = new Encoder(this.lanes, { maxFrameBytes: 30_000, maxCacheBytes: 100_000 });
  readonly threads: readonly ModelThread[];
  /** Runs something as soon as all is read that is published by now. */
  reach: (run: () => void) => void = (run) => run();
  /** What clients should have in the end. */
  readonly model = new Map<string, Map<string, unknown>>();
  readonly #ids = new Map<string, number[]>();
  #stateSeq = 0;
  #criticalSeq = 0;

  constructor(threads: number) {
    this.threads = Array.from({ length: threads }, () => new ModelThread(this));
  }

  heads(): Heads {
    const { lanes, encoder } = this;
    return {
      stateEpoch: lanes.stateEpoch,
      stateSeq: encoder.stateSeq,
      criticalEpoch: lanes.criticalEpoch,
      criticalSeq: encoder.criticalSeq,
      stateMs: encoder.stateMs,
      criticalMs: encoder.criticalMs,
    };
  }

  laneHeads(): Parameters<typeof startOf>[2] {
    return {
      ...this.heads(),
      stateSeq: this.lanes.state.seq,
      stateFloor: (channel) => this.lanes.state.log(channel).floorSeq,
      criticalLostSeq: (channel) => this.lanes.critical.lostSeq(channel),
      stateHolds: () => true,
      criticalReplaced: () => false,
      criticalSeqAt: () => this.lanes.critical.seq,
      stale: this.stale,
    };
  }

  set(channel: string, key: string, value: unknown): void {
    const text = value === undefined ? undefined : JSON.stringify(value);
    this.lanes.state.apply(channel, { key, value: text, seq: ++this.#stateSeq }, this.nowMs);
    const keys = this.model.get(channel) ?? new Map();
    this.model.set(channel, keys);
    if (value === undefined) keys.delete(key);
    else keys.set(key, value);
  }

  keys(channel: string): Readonly<Record<string, unknown>> {
    return Object.fromEntries([...(this.model.get(channel) ?? [])].sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  critical(channel: string): number {
    const seq = ++this.#criticalSeq;
    // Some are so large that a few of them fill what may be under way.
    const value = seq % 4 === 0 ? JSON.stringify('x'.repeat(0.8 * SOFT_BYTES)) : '1';
    const entry = { seq, value, timeMs: this.nowMs, storedMs: this.nowMs };
    if (this.lanes.critical.append(channel, entry)) this.encoder.critical(channel, entry);
    this.#ids.set(channel, [...this.ids(channel), entry.seq]);
    return entry.seq;
  }

  /** All critical messages of a channel. */
  ids(channel: string): readonly number[] {
    return this.#ids.get(channel) ?? [];
  }

  cosmetic(channel: string, value: number): void {
    this.lanes.cosmetic.add(channel, String(value));
  }

  tick(lateMs = 0): void {
    const news = this.encoder.tick(lateMs);
    for (const { link } of this.threads) link.news(news);
  }

  flush(): void {
    const news = this.encoder.flush();
    for (const { link } of this.threads) link.news(news);
  }

  forget(): void {
    this.nowMs += 2_000;
    this.lanes.state.forgetDeletions(this.nowMs);
  }

  /** The state stream was made anew. */
  newState(): void {
    this.lanes.state = this.#state();
    this.lanes.stateEpoch = `${this.lanes.stateEpoch}x`;
    this.#stateSeq = 0;
    this.model.clear();
    this.encoder.restart('state');
    for (const { link } of this.threads) link.reset('state', this.heads(), 0);
  }

  settle(): void {
    for (const thread of this.threads) thread.settle();
  }

  #state(): StateLane {
    return new StateLane({ maxKeys: 1_000, maxBytes: 1_000_000, deletionMs: 1_000 });
  }

  #critical(): CriticalLane {
    return new CriticalLane({ maxAgeMs: 1e9, maxPerChannel: 1e6, maxBytes: 1e9 });
  }
}

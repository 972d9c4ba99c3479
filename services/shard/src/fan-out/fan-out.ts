// Owns the connections and writes to them: one buffer per group and batch, one write per client and tick.
// The hot loop is #writeGroup; it allocates nothing per client, awaits nothing, logs nothing.
import { channelHash, controlText, utf8Frame } from '@weir/protocol';
import type { Connection } from '../connection/connection.ts';
import type { PingLimits } from '../connection/delivery-clock.ts';
import type { FlowLimits } from '../connection/policy.ts';
import type { Batch, CatchUpSource, Form } from './batch.ts';
import { catchUp } from './catch-up.ts';
import type { Counts } from './counts.ts';
import { emptyCounts } from './counts.ts';
import { Group, groupKey } from './group.ts';
import { Pings } from './pings.ts';
import { Variants } from './variants.ts';

/** Why a connection was evicted. */
export type EvictReason = 'hardBytes' | 'lag';

export interface FanOutOptions {
  readonly flow: FlowLimits;
  readonly ping: PingLimits;
  /** Time between two positions while data flows, and while it does not. */
  readonly positionMs: number;
  readonly idlePositionMs: number;
  readonly source: CatchUpSource;
  /** Compresses a run of frames; asked once for each that is shared. */
  readonly deflate: Form;
  readonly pings?: Pings;
  /** Milliseconds of a monotonic clock. */
  readonly nowMs: () => number;
  /** The policy says that this connection has to go. */
  readonly onEvict: (connection: Connection, reason: EvictReason) => void;
  /** Delivery lag of a connection, measured by a pong; it is on the connection's clock. */
  readonly onLag: (connection: Connection) => void;
}

const plain: Form = (run) => run;

export class FanOut {
  readonly counts: Counts = emptyCounts();
  readonly #options: FanOutOptions;
  readonly #pings: Pings;
  readonly #groups = new Map<string, Group>();
  readonly #groupOf = new Map<Connection, Group>();
  readonly #byChannel = new Map<string, Set<Group>>();
  readonly #touched = new Set<Group>();
  /** Connections that are not live, and want a piece as soon as they have room. */
  readonly #behind = new Set<Connection>();
  #evicted: Connection[] = [];
  /** Time in which this process ran: a stop of the whole process is not the clients' fault. */
  #ranMs = 0;
  #sweptMs: number;
  #batchPing: Buffer | undefined;

  constructor(options: FanOutOptions) {
    this.#options = options;
    this.#pings = options.pings ?? new Pings();
    this.#sweptMs = options.nowMs();
  }

  get size(): number {
    return this.#groupOf.size;
  }

  get groups(): number {
    return this.#groups.size;
  }

  get behind(): number {
    return this.#behind.size;
  }

  connections(): IterableIterator<Connection> {
    return this.#groupOf.keys();
  }

  channelsOf(connection: Connection): readonly string[] {
    return this.#groupOf.get(connection)?.channels ?? [];
  }

  /** Takes a connection in; it gets what it misses as its network allows, then everything that comes. */
  add(connection: Connection): void {
    this.#join(
      connection,
      connection.cursors.map((cursor) => cursor.channel),
    );
    this.#behind.add(connection);
    this.#advance(connection);
  }

  /** Lets a connection go. */
  remove(connection: Connection): void {
    this.#leave(connection);
    this.#behind.delete(connection);
  }

  /** Sends control frames to one connection, in its form. */
  say(connection: Connection, frames: Buffer): void {
    this.#write(connection, this.#formOf(connection)(frames));
  }

  /** Adds channels that begin with a snapshot, critical messages from now on. */
  subscribe(connection: Connection, added: readonly string[]): void {
    const channels = this.channelsOf(connection);
    this.#rewind(connection);
    const { criticalSeq } = this.#options.source;
    connection.cursors.push(
      ...added.map((channel) => ({
        channel,
        stateSeq: 0,
        snapshot: true,
        snapshotSeq: 0,
        criticalSeq,
      })),
    );
    this.#regroup(connection, [...channels, ...added]);
    this.#advance(connection);
  }

  unsubscribe(connection: Connection, removed: readonly string[]): void {
    const rest = this.channelsOf(connection).filter((channel) => !removed.includes(channel));
    connection.cursors = connection.cursors.filter((cursor) => !removed.includes(cursor.channel));
    this.#regroup(connection, rest);
  }

  /** Sends a batch to everyone whom it concerns. Must not be called from within itself. */
  broadcast(batch: Batch): void {
    const nowMs = this.#options.nowMs();
    this.#batchPing = undefined;
    for (const channel of batch.channels.keys()) {
      const groups = this.#byChannel.get(channel);
      if (groups !== undefined) for (const group of groups) this.#touched.add(group);
    }
    for (const group of this.#touched) this.#writeGroup(group, batch, nowMs);
    this.#touched.clear();
    this.#evictMarked('hardBytes');
  }

  /** Another state epoch: everyone begins anew with a snapshot of every channel. */
  resetState(): void {
    for (const [connection, group] of this.#groupOf) {
      this.#rewind(connection);
      const critical = new Map(connection.cursors.map((cursor) => [cursor.channel, cursor.criticalSeq]));
      connection.cursors = group.channels.map((channel) => ({
        channel,
        stateSeq: 0,
        snapshot: true,
        snapshotSeq: 0,
        criticalSeq: critical.get(channel) ?? this.#options.source.criticalSeq,
      }));
      this.#advance(connection);
    }
  }

  /** Another critical epoch: everyone is told, then gets what came after `sinceSeq` of the new one. */
  resetCritical(afterSeq: number, sinceSeq: number): void {
    for (const group of this.#groups.values()) {
      const gaps = this.#formOf(group)(
        Buffer.concat(
          group.channels.map((channel) =>
            utf8Frame(controlText({ type: 'gap', channel, lane: 'critical', after: afterSeq, reset: true })),
          ),
        ),
      );
      for (const connection of group.members) {
        this.#rewind(connection);
        connection.criticalLive = false;
        for (const cursor of connection.cursors) cursor.criticalSeq = sinceSeq;
        this.#write(connection, gaps);
      }
    }
    for (const connection of this.#groupOf.keys()) this.#advance(connection);
  }

  /** A pong came from a connection. */
  pong(connection: Connection, payload: Uint8Array): void {
    const nowMs = this.#options.nowMs();
    if (!connection.clock.ponged(this.#pings.counterOf(payload), nowMs)) {
      this.counts.pongsForeign++;
      return;
    }
    this.counts.pongs++;
    connection.unansweredSinceMs = connection.clock.waitingSinceMs === undefined ? undefined : this.#ranMs;
    this.#options.onLag(connection);
    if (!connection.live) this.#advance(connection);
  }

  /** Once in a while (a few times a second): pings of quiet connections, catch-up, and who has to go. */
  sweep(): void {
    const nowMs = this.#options.nowMs();
    // Longer than that and the process itself was stopped or starved.
    this.#ranMs += Math.min(nowMs - this.#sweptMs, 500);
    this.#sweptMs = nowMs;
    this.#batchPing = undefined;
    for (const connection of this.#behind) this.#advance(connection);
    for (const group of this.#groups.values()) this.#sweepGroup(group, nowMs);
    this.#evictMarked('lag');
  }

  #sweepGroup(group: Group, nowMs: number): void {
    const { ping, flow, positionMs, idlePositionMs } = this.#options;
    const position = this.#positionDue(group, nowMs, group.fed ? positionMs : idlePositionMs);
    for (const connection of group.members) {
      if (connection.closing) continue;
      if (position !== undefined && connection.live) this.#write(connection, position);
      const unansweredMs = this.#ranMs - (connection.unansweredSinceMs ?? this.#ranMs);
      if (connection.judge(unansweredMs, flow) === 'evicted') {
        this.#evicted.push(connection);
      } else if (connection.clock.pingDue(nowMs, 0, ping)) {
        this.#write(connection, this.#sharedPing());
        this.#pinged(connection, nowMs);
      }
    }
  }

  #writeGroup(group: Group, batch: Batch, nowMs: number): void {
    const { ping, flow } = this.#options;
    group.fed = true;
    const position = this.#positionDue(group, nowMs, this.#options.positionMs);
    const form = this.#formOf(group);
    const variants = new Variants({ batch, group, form, tail: position, ping: () => this.#sharedPing() });
    const { counts } = this;
    const { members } = group;
    for (let i = 0; i < members.length; i++) {
      const connection = members[i];
      if (connection === undefined || connection.closing) continue;
      const next = connection.judge(0, flow);
      if (next === 'evicted') {
        this.#evicted.push(connection);
        continue;
      }
      if (next === 'congested' && connection.stateLive) this.#withhold(connection, batch.fromStateSeq);
      counts.stateOffered += variants.stateFrames;
      counts.cosmeticOffered += variants.cosmeticFrames;
      let bytes: Buffer;
      if (connection.stateLive) {
        const pinged = connection.clock.pingDue(nowMs, variants.fullBytes, ping);
        bytes = variants.full(pinged);
        counts.stateSent += variants.stateFrames;
        counts.cosmeticSent += variants.cosmeticFrames;
        counts.criticalSent += variants.criticalFrames;
        this.#write(connection, bytes);
        if (pinged) this.#pinged(connection, nowMs);
        continue;
      }
      counts.stateWithheld += variants.stateFrames;
      counts.cosmeticDropped += variants.cosmeticFrames;
      if (!connection.criticalLive || variants.criticalFrames === 0) continue;
      const pinged = connection.clock.pingDue(nowMs, variants.criticalBytes, ping);
      bytes = variants.critical(pinged);
      counts.criticalSent += variants.criticalFrames;
      this.#write(connection, bytes);
      if (pinged) this.#pinged(connection, nowMs);
    }
  }

  #write(connection: Connection, bytes: Buffer): void {
    this.counts.writes++;
    this.counts.bytes += bytes.length;
    connection.write(bytes);
  }

  #pinged(connection: Connection, nowMs: number): void {
    this.counts.pings++;
    connection.clock.pinged(this.#pings.counter, nowMs);
    connection.unansweredSinceMs ??= this.#ranMs;
  }

  /** One ping a batch, shared by all who are due. */
  #sharedPing(): Buffer {
    this.#batchPing ??= this.#pings.next();
    return this.#batchPing;
  }

  #positionDue(group: Group, nowMs: number, everyMs: number): Buffer | undefined {
    if (nowMs - group.positionMs < everyMs) return undefined;
    const pos = this.#options.source.position(group.hashes);
    if (pos === group.positionText) return undefined;
    group.positionMs = nowMs;
    group.positionText = pos;
    group.fed = false;
    return this.#formOf(group)(utf8Frame(controlText({ type: 'position', pos })));
  }

  #formOf(of: { readonly compressed: boolean }): Form {
    return of.compressed ? this.#options.deflate : plain;
  }

  /** Gives a connection that is not live what it has room for. */
  #advance(connection: Connection): void {
    if (connection.closing || connection.live) return;
    const before = connection.clock.written;
    const { source, flow, nowMs } = this.#options;
    connection.together(() => {
      const form = this.#formOf(connection);
      if (catchUp({ connection, source, form, softBytes: flow.softBytes })) {
        this.#behind.delete(connection);
        connection.flowingSinceMs = nowMs();
        this.counts.recovered++;
        const group = this.#groupOf.get(connection);
        const pos = source.position(group?.hashes ?? []);
        connection.write(form(utf8Frame(controlText({ type: 'position', pos }))));
      }
      const wrote = connection.clock.written - before;
      if (wrote > 0) this.counts.catchUpPieces++;
      if (
        connection.clock.pingDue(nowMs(), wrote, this.#options.ping) ||
        (wrote > 0 && connection.clock.canPing)
      ) {
        connection.write(this.#pings.next());
        this.#pinged(connection, nowMs());
      }
    });
    this.counts.bytes += connection.clock.written - before;
  }

  #withhold(connection: Connection, stateSeq: number): void {
    this.#rewind(connection);
    for (const cursor of connection.cursors) cursor.stateSeq = stateSeq;
    this.counts.congested++;
  }

  /** From live to cursors at the head, so that they can be changed. */
  #rewind(connection: Connection): void {
    if (connection.stateLive) {
      const { stateSeq, criticalSeq } = this.#options.source;
      connection.cursors = this.channelsOf(connection).map((channel) => ({
        channel,
        stateSeq,
        snapshot: false,
        snapshotSeq: 0,
        criticalSeq,
      }));
    }
    connection.stateLive = false;
    connection.flowingSinceMs = Number.POSITIVE_INFINITY;
    this.#behind.add(connection);
  }

  #evictMarked(reason: EvictReason): void {
    if (this.#evicted.length === 0) return;
    const evicted = this.#evicted;
    this.#evicted = [];
    for (const connection of evicted) this.#options.onEvict(connection, reason);
  }

  #regroup(connection: Connection, channels: readonly string[]): void {
    this.#leave(connection);
    this.#join(connection, channels);
  }

  #join(connection: Connection, channels: readonly string[]): void {
    const { compressed } = connection;
    const key = groupKey(channels, compressed);
    let group = this.#groups.get(key);
    if (group === undefined) {
      group = new Group(channels, channels.map(channelHash), compressed);
      this.#groups.set(key, group);
      for (const channel of channels) {
        const groups = this.#byChannel.get(channel);
        if (groups === undefined) this.#byChannel.set(channel, new Set([group]));
        else groups.add(group);
      }
    }
    group.add(connection);
    this.#groupOf.set(connection, group);
  }

  #leave(connection: Connection): void {
    const group = this.#groupOf.get(connection);
    if (group === undefined) return;
    this.#groupOf.delete(connection);
    group.remove(connection);
    if (group.members.length > 0) return;
    this.#groups.delete(group.key);
    for (const channel of group.channels) {
      const groups = this.#byChannel.get(channel);
      groups?.delete(group);
      if (groups?.size === 0) this.#byChannel.delete(channel);
    }
  }
}

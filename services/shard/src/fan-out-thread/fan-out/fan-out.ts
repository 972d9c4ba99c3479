// Owns the connections of a thread: who is in which group, who is live, and who gets what next. Batches are written in
// slices, so that accepting, handshakes and pongs go on meanwhile; whatever else happens to a connection happens after
// it was given every batch that has come ("settled"), so that all of it happens at one head.
import type { CatchUpAnswer } from '../../port/catch-up.ts';
import { add, count, GAUGE_PLACES, gauge } from '../../port/counts.ts';
import type { Heads } from '../../port/messages.ts';
import type { Restart } from '../claims/claims.ts';
import type { Connection } from '../connection/connection.ts';
import { Asks } from './asks.ts';
import type { Batch } from './batch.ts';
import { Beats } from './beats.ts';
import { CutOff } from './cut-off.ts';
import type { FanOutOptions } from './fan-out-options.ts';
import type { Group } from './group.ts';
import { formOf, Memberships } from './memberships.ts';
import { resetFrames } from './reset-frames.ts';
import { Round } from './round.ts';
import type { EvictReason } from './writer.ts';
import { positionFrame, positionHeadOf, Writer } from './writer.ts';

export class FanOut {
  readonly #options: FanOutOptions;
  readonly #writer: Writer;
  readonly #memberships: Memberships;
  readonly #asks: Asks;
  readonly #beats: Beats;
  /** Connections that want a piece as soon as they have room. */
  readonly #notLive = new Set<Connection>();
  /** Batches that have come and are not written yet, the oldest first. */
  #rounds: Round[] = [];
  #sliceComes = false;
  #heads: Heads;
  #positionHead: string;
  #newest = 0;
  readonly #sums = new Float64Array(GAUGE_PLACES);
  readonly #cutOff = new CutOff();

  constructor(options: FanOutOptions) {
    this.#options = options;
    this.#writer = new Writer(
      {
        ...options,
        withhold: (connection, batch) => this.#withhold(connection, batch),
        withholdCritical: (connection, batch) => this.#withholdCritical(connection, batch),
      },
      options.nowMs(),
    );
    this.#memberships = new Memberships(options.want);
    this.#asks = new Asks(options.ask);
    this.#beats = new Beats(options);
    this.#heads = options.heads;
    this.#positionHead = positionHeadOf(options.heads);
  }

  get size(): number {
    return this.#memberships.size;
  }

  /** Where the lanes stand after the newest batch that has come. */
  get heads(): Heads {
    return this.#heads;
  }

  connections(): IterableIterator<Connection> {
    return this.#memberships.connections();
  }

  channelsOf(connection: Connection): readonly string[] {
    return this.#memberships.groupOf(connection)?.names ?? [];
  }

  /** Takes a connection in; it gets what it misses as its network allows, then everything that comes. */
  add(connection: Connection): void {
    connection.batch = this.#newest;
    this.#memberships.join(
      connection,
      connection.cursors.map(({ channel }) => channel),
    );
    this.#notLive.add(connection);
    if (connection.waitsFor === 'pong') this.#writer.pingNow(connection, this.#options.nowMs());
    this.#advance(connection);
    this.#showGauges();
  }

  /** Lets a connection go. */
  remove(connection: Connection): void {
    this.#memberships.leave(connection);
    this.#notLive.delete(connection);
    connection.ask = undefined;
    this.#writer.forget(connection);
    this.#showGauges();
  }

  /** Sends control frames to one connection, in its form. */
  say(connection: Connection, frames: Buffer): void {
    this.#writer.write(connection, this.#writer.form(formOf(connection))(frames));
  }

  /** Adds channels that begin with a snapshot, critical messages from now on. */
  subscribe(connection: Connection, added: readonly string[]): void {
    this.#settle(connection);
    const channels = this.channelsOf(connection);
    const { criticalSeq } = this.#heads;
    this.#rewind(connection);
    if (connection.criticalLive && this.#hasRoom(connection)) {
      // The main thread learns of the channels only now: what is on its way may lack their critical messages.
      connection.catchUpCritical(criticalSeq);
    }
    const fresh = { stateSeq: 0, snapshot: true, snapshotSeq: 0, criticalSeq } as const;
    connection.cursors = [
      ...connection.cursors,
      ...added.map((channel) => ({
        ...fresh,
        channel,
        half: connection.halfSent.delete(channel),
        again: connection.redraws?.begin(channel) === true,
      })),
    ];
    this.#regroup(connection, [...channels, ...added]);
  }

  unsubscribe(connection: Connection, removed: readonly string[]): void {
    this.#settle(connection);
    const rest = this.channelsOf(connection).filter((channel) => !removed.includes(channel));
    for (const { channel, half } of connection.cursors)
      if (half && removed.includes(channel)) connection.halfSent.add(channel);
    connection.cursors = connection.cursors.filter(({ channel }) => !removed.includes(channel));
    this.#regroup(connection, rest);
  }

  /** Takes a batch and writes it to everybody whom it concerns, behind those that came before it. */
  take(batch: Batch): void {
    this.#newest = batch.number;
    const { stateSeq, criticalSeq, stateMs, criticalMs } = batch;
    this.#moveTo({ ...this.#heads, stateSeq, criticalSeq, stateMs, criticalMs });
    this.#rounds.push(new Round(batch, this.#positionHead, this.#memberships.channels));
    if (!this.#sliceComes) this.#slice();
  }

  /** What connections asked for. Every batch that was handed over before it has come before it. */
  caughtUp(id: number, answer: CatchUpAnswer): void {
    // First, since what a batch has no room for is asked for anew, and this answer lacks it.
    for (const connection of this.#asks.waiting(id)) this.#settle(connection);
    for (const connection of this.#asks.take(id)) {
      if (connection.closing) continue;
      this.#writer.begin(this.#options.nowMs());
      connection.cursors = answer.cursors;
      connection.criticalLive = answer.criticalLive;
      connection.full &&= !answer.criticalLive;
      if (answer.reached === true) connection.waitsFor = 'nothing';
      this.#writer.charge(connection, answer.redrawnBytes ?? 0);
      if (answer.live) this.#writer.catchUp(connection, [answer.bytes, this.#goLive(connection)], false);
      else {
        connection.openWindow();
        this.#writer.catchUp(connection, [answer.bytes], true);
        this.#advance(connection);
      }
    }
    this.#letGo();
    this.#showGauges();
  }

  /** Another state epoch: everyone begins anew with a snapshot of every channel. */
  resetState(heads: Heads): void {
    this.#begin(heads);
    for (const connection of this.#memberships.connections()) {
      this.#rewind(connection);
      connection.beginSnapshots();
      this.#advance(connection);
    }
    this.#showGauges();
  }

  /** Another critical epoch: everyone is told, then gets what came after `sinceSeq` of the new one. */
  resetCritical(heads: Heads, afterSeq: number, sinceSeq: number): void {
    this.#begin(heads);
    for (const group of this.#memberships.groups.values()) {
      const reset = { epoch: heads.criticalEpoch, afterSeq, sinceSeq };
      const frames = this.#writer.form(group.form)(resetFrames(group, reset));
      for (const connection of group.members) {
        this.#rewind(connection);
        connection.catchUpCritical(sinceSeq);
        this.#writer.write(connection, frames);
      }
    }
    for (const connection of this.#memberships.connections()) this.#advance(connection);
    this.#showGauges();
  }

  /** One connection has what is not in the streams: it begins anew in these lanes. */
  restart(connection: Connection, { state, critical }: Restart): void {
    this.#settle(connection);
    this.#writer.begin(this.#options.nowMs());
    connection.ask = undefined;
    this.#rewind(connection);
    if (critical !== undefined) {
      connection.catchUpCritical(critical.sinceSeq);
      const group = this.#memberships.groupOf(connection);
      const epoch = this.#heads.criticalEpoch;
      if (group !== undefined) this.say(connection, resetFrames(group, { epoch, ...critical }));
    }
    if (state) connection.beginSnapshots();
    this.#advance(connection);
  }

  /** A pong came from a connection. Answers whether it proved anything. */
  pong(connection: Connection, payload: Buffer): boolean {
    if (!this.#writer.pong(connection, payload, this.#options.nowMs())) return false;
    this.#options.onLag(connection);
    if (connection.waitsFor === 'pong') connection.waitsFor = 'stream';
    this.#advance(connection);
    return true;
  }

  /** Once in a while (a few times a second): positions, pings of quiet connections, catch-up, and who has to go. */
  sweep(): void {
    const nowMs = this.#options.nowMs();
    this.#writer.begin(nowMs);
    this.#writer.elapse(nowMs);
    for (const connection of this.#notLive) this.#advance(connection);
    const sums = this.#sums.fill(0);
    this.#cutOff.begin();
    for (const group of this.#memberships.groups.values()) this.#sweepGroup(group, sums);
    const { gauges } = this.#options.numbers;
    gauges.set(sums.subarray(gauge.flowing), gauge.flowing);
    this.#cutOff.end(this.size, nowMs);
    this.#letGo();
  }

  #sweepGroup(group: Group, sums: Float64Array): void {
    const { positionMs, idlePositionMs, tickMs, flow } = this.#options;
    // While batches are being written some members are not where the others are. And as long as they come, positions
    // travel with them: alone they would be half as many writes again.
    const position =
      this.#rounds.length > 0
        ? undefined
        : this.#writer.position(group, this.#positionHead, group.fed ? positionMs + tickMs : idlePositionMs);
    for (const connection of group.members) {
      const { backlogBytes, live } = connection;
      if (connection.closing) {
        add(sums, gauge.closing, 1);
        continue;
      }
      if (position !== undefined && position.length > 0 && live) this.#writer.write(connection, position);
      const beat = this.#beats.due(connection, { positionMs: group.positionMs, nowMs: this.#writer.nowMs });
      if (beat !== undefined) this.#writer.write(connection, beat);
      const unansweredMs = this.#writer.unansweredMs(connection);
      if (unansweredMs >= flow.lagMs / 2) this.#cutOff.silent();
      const next = connection.judge(backlogBytes, unansweredMs, flow);
      if (next === 'evicted') this.#writer.evict(connection);
      else this.#writer.pingIfDue(connection);
      add(sums, live ? gauge.flowing : next === 'congested' ? gauge.congested : gauge.behind, 1);
      if (!live || connection.standing?.slowSinceMs !== undefined) continue;
      add(sums, gauge.healthyBacklogBytes, Math.min(backlogBytes, flow.softBytes));
      const awaitedBytes = connection.awaited.bytes(connection.clock, this.#writer.nowMs);
      add(sums, gauge.awaitedBytes, Math.min(awaitedBytes, flow.softBytes));
    }
  }

  /** Writes for a while; what is left comes later. */
  #slice(): void {
    this.#sliceComes = false;
    const { nowMs, later } = this.#options;
    const beganMs = nowMs();
    const sliceMs = this.#options.sliceMs();
    if (this.#run(() => nowMs() - beganMs < sliceMs)) return;
    this.#sliceComes = true;
    later(() => this.#slice());
  }

  /** Writes what has come, as long as `goOn` says so. Answers whether all is written. */
  #run(goOn: () => boolean): boolean {
    this.#writer.begin(this.#options.nowMs());
    const { looksAfter } = this.#options;
    let left = looksAfter;
    for (let round = this.#rounds[0]; round !== undefined; round = this.#rounds[0]) {
      const given = round;
      const whole = given.run((group, connection) => {
        this.#writer.give(group, connection, given);
        if (--left > 0) return true;
        left = looksAfter;
        return goOn();
      });
      if (!whole) break;
      this.#rounds.shift();
      this.#options.done(given.batch.number);
    }
    this.#letGo();
    return this.#rounds.length === 0;
  }

  /** Gives one connection the batches that have come and that it has not had. */
  #settle(connection: Connection): void {
    const group = this.#memberships.groupOf(connection);
    if (this.#rounds.length === 0 || group === undefined) return;
    this.#writer.begin(this.#options.nowMs());
    for (const round of this.#rounds) {
      if (connection.batch >= round.batch.number) continue;
      connection.batch = round.batch.number;
      this.#writer.give(group, connection, round);
    }
  }

  /** Another epoch begins: what was handed over of the old one is written first, what was asked for no longer counts. */
  #begin(heads: Heads): void {
    this.#run(() => true);
    this.#asks.forget(this.#memberships.connections());
    this.#moveTo(heads);
    this.#writer.begin(this.#options.nowMs());
  }

  #moveTo(heads: Heads): void {
    this.#heads = heads;
    this.#positionHead = positionHeadOf(heads);
  }

  /** Asks for what a connection that is not live misses, where its network has room for it. */
  #advance(connection: Connection): void {
    if (connection.closing || connection.live || !this.#hasRoom(connection)) return;
    if (connection.waitsFor === 'pong' && connection.criticalLive) return;
    const maxBytes = connection.pieceBytes(this.#options.flow);
    this.#asks.add(connection, maxBytes, this.#memberships.groupOf(connection)?.stints ?? '');
  }

  #hasRoom(connection: Connection): boolean {
    return connection.hasRoom(this.#options.flow, this.#options.nowMs());
  }

  /** From now on it gets what everybody gets. Answers the position that tells it so. */
  #goLive(connection: Connection): Buffer {
    connection.stateLive = true;
    connection.flow = 'flowing';
    connection.flowingSinceMs = this.#writer.nowMs;
    this.#notLive.delete(connection);
    add(this.#options.numbers.fanOut, count.recovered, 1);
    const group = this.#memberships.groupOf(connection);
    if (group === undefined) return Buffer.alloc(0);
    return positionFrame(this.#positionHead, group, this.#writer.form(group.form));
  }

  #withhold(connection: Connection, { fromStateSeq: stateSeq }: Batch): void {
    this.#rewind(connection);
    connection.cursors = connection.cursors.map((cursor) => ({ ...cursor, stateSeq }));
    connection.window?.begin(this.#writer.nowMs);
    add(this.#options.numbers.fanOut, count.congested, 1);
    this.#advance(connection);
  }

  #withholdCritical(connection: Connection, { fromCriticalSeq: criticalSeq }: Batch): void {
    connection.full = true;
    connection.ask = undefined;
    connection.catchUpCritical(criticalSeq);
    add(this.#options.numbers.fanOut, count.criticalWithheld, 1);
    this.#advance(connection);
  }

  /** From live to cursors at the head, so that they can be changed. */
  #rewind(connection: Connection): void {
    if (connection.stateLive) {
      const { stateSeq, criticalSeq } = this.#heads;
      const at = { stateSeq, snapshot: false, snapshotSeq: 0, half: false, criticalSeq } as const;
      connection.cursors = this.channelsOf(connection).map((channel) => ({ ...at, channel }));
    }
    connection.stateLive = false;
    connection.flowingSinceMs = Number.POSITIVE_INFINITY;
    this.#notLive.add(connection);
  }

  #letGo(): void {
    const { onEvict } = this.#options;
    for (const connection of this.#writer.takeEvicted()) onEvict(connection, this.#reasonToEvict(connection));
  }

  #reasonToEvict(connection: Connection): EvictReason {
    const { flow } = this.#options;
    if (this.#cutOff.is(this.#writer.nowMs)) return 'cutOff';
    return connection.full && this.#writer.unansweredMs(connection) < flow.lagMs ? 'hardBytes' : 'lag';
  }

  #showGauges(): void {
    const { gauges } = this.#options.numbers;
    gauges[gauge.connections] = this.#memberships.size;
    gauges[gauge.groups] = this.#memberships.groups.size;
    gauges[gauge.notLive] = this.#notLive.size;
  }

  #regroup(connection: Connection, channels: readonly string[]): void {
    connection.ask = undefined;
    this.#memberships.change(connection, channels);
    this.#advance(connection);
    this.#showGauges();
  }
}

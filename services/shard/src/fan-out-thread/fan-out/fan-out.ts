// Owns the connections of a thread: which group each is in, and what each gets next. Batches are written in slices, so
// that accepting, handshakes and pongs go on meanwhile. Every other event of a connection comes after the connection was
// given each batch that has come ("settled"), so that all of its events happen at one head. The state of a connection is
// its own (connection/delivery.ts): nothing here changes it but by an event.
import { controlText, utf8Frame } from '@weir/protocol';
import type { CatchUpAnswer } from '../../port/catch-up.ts';
import { add, count, GAUGE_PLACES, gauge } from '../../port/counts.ts';
import type { Heads } from '../../port/messages.ts';
import type { Restart } from '../claims/claims.ts';
import { beginningAt } from '../connection/beginning.ts';
import type { Connection } from '../connection/connection.ts';
import type { Standpoint, Tally } from '../connection/delivery.ts';
import { Asks } from './asks.ts';
import type { Batch } from './batch.ts';
import { Beats } from './beats.ts';
import { CutOff } from './cut-off.ts';
import type { EvictReason, FanOutOptions } from './fan-out-options.ts';
import type { Group } from './group.ts';
import { formOf, Memberships } from './memberships.ts';
import { resetFrames } from './reset-frames.ts';
import { Round } from './round.ts';
import { positionFrame, positionHeadOf, Writer } from './writer.ts';

export class FanOut {
  readonly #options: FanOutOptions;
  readonly #writer: Writer;
  readonly #memberships: Memberships;
  readonly #asks: Asks;
  readonly #beats: Beats;
  readonly #tally: Tally = { behind: 0 };
  /** Batches that have come and are not written yet, the oldest first. */
  #rounds: Round[] = [];
  #sliceComes = false;
  /** Writes until the next look at the clock. */
  #untilLook = 0;
  #heads: Heads;
  #positionHead: string;
  #newest = 0;
  readonly #sums = new Float64Array(GAUGE_PLACES);
  readonly #cutOff = new CutOff();
  #evicted: Connection[] = [];

  constructor(options: FanOutOptions) {
    this.#options = options;
    this.#writer = new Writer(options, options.nowMs());
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

  /** Takes a connection in. It gets what it misses as its network allows, then everything that comes. */
  add(connection: Connection): void {
    const { delivery } = connection;
    delivery.join(this.#newest, this.#tally);
    this.#memberships.join(
      connection,
      delivery.cursors.map(({ channel }) => channel),
    );
    if (delivery.waitsFor === 'pong') this.#writer.pingNow(connection, this.#options.nowMs());
    this.#advance(connection);
    this.#showGauges();
  }

  /** A connection is gone. */
  remove(connection: Connection): void {
    this.#memberships.leave(connection);
    this.#writer.forget(connection);
    this.#showGauges();
  }

  /** Sends control frames to one connection, in its form. */
  say(connection: Connection, frames: Buffer): void {
    this.#writer.write(connection, this.#writer.form(formOf(connection))(frames));
  }

  /** Adds channels, which begin with a snapshot, and with the `last` critical messages, or those from now on. */
  subscribe(connection: Connection, added: readonly string[], last?: number): void {
    this.#settle(connection);
    const { channels, heads } = this.#standpoint(connection);
    connection.delivery.subscribe(added, {
      channels,
      heads,
      last,
      isAgain: (channel) => connection.redraws?.begin(channel) === true,
    });
    this.#regroup(connection, [...channels, ...added]);
    this.#sayBeginning(connection, added);
  }

  unsubscribe(connection: Connection, removed: readonly string[]): void {
    this.#settle(connection);
    const rest = this.channelsOf(connection).filter((channel) => !removed.includes(channel));
    connection.delivery.unsubscribe(removed);
    this.#regroup(connection, rest);
  }

  /** Takes a batch and writes it to every connection that it concerns, behind the batches that came before it. */
  take(batch: Batch): void {
    this.#newest = batch.number;
    const { stateSeq, criticalSeq, stateMs, criticalMs } = batch;
    this.#moveTo({ ...this.#heads, stateSeq, criticalSeq, stateMs, criticalMs });
    this.#rounds.push(new Round(batch, this.#positionHead, this.#memberships.channels));
    if (!this.#sliceComes) this.#slice();
  }

  /** What connections asked for. Every batch that was handed over before it has come before it. */
  caughtUp(id: number, answer: CatchUpAnswer): void {
    // First, because a connection that has no room for a batch asks anew, and this answer lacks the batch.
    for (const connection of this.#asks.waiting(id)) this.#settle(connection);
    for (const connection of this.#asks.take(id)) {
      const { delivery } = connection;
      if (delivery.over) continue;
      this.#writer.begin(this.#options.nowMs());
      delivery.caughtUp(answer, this.#writer.nowMs);
      this.#writer.charge(connection, answer.redrawnBytes ?? 0);
      if (answer.live) {
        add(this.#options.numbers.fanOut, count.recovered, 1);
        this.#writer.catchUp(connection, [answer.bytes, this.#positionOf(connection)], false);
      } else {
        this.#writer.catchUp(connection, [answer.bytes], true);
        this.#advance(connection);
      }
    }
    this.#evictAll();
    this.#showGauges();
  }

  /** Another state epoch: every connection begins anew with a snapshot of each of its channels. */
  resetState(heads: Heads): void {
    this.#begin(heads);
    for (const { names: channels, members } of this.#memberships.groups.values())
      for (const { delivery } of members)
        delivery.restart({ state: true, criticalSinceSeq: undefined }, { channels, heads });
    this.#advanceAll();
  }

  /** Another critical epoch: every connection is told, then gets what came after `sinceSeq` of the new one. */
  resetCritical(heads: Heads, afterSeq: number, sinceSeq: number): void {
    this.#begin(heads);
    for (const group of this.#memberships.groups.values()) {
      const reset = { epoch: heads.criticalEpoch, afterSeq, sinceSeq };
      const frames = this.#writer.form(group.form)(resetFrames(group, reset));
      const at = { channels: group.names, heads };
      for (const connection of group.members) {
        connection.delivery.restart({ state: false, criticalSinceSeq: sinceSeq }, at);
        this.#writer.write(connection, frames);
      }
    }
    this.#advanceAll();
  }

  /** One connection has what is not in the streams: it begins anew in these lanes. */
  restart(connection: Connection, { state, critical }: Restart): void {
    this.#settle(connection);
    this.#writer.begin(this.#options.nowMs());
    const lanes = { state, criticalSinceSeq: critical?.sinceSeq };
    connection.delivery.restart(lanes, this.#standpoint(connection));
    const group = this.#memberships.groupOf(connection);
    const epoch = this.#heads.criticalEpoch;
    if (critical !== undefined && group !== undefined)
      this.say(connection, resetFrames(group, { epoch, ...critical }));
    this.#advance(connection);
  }

  /** A pong came from a connection. Returns whether it proved anything. */
  pong(connection: Connection, payload: Buffer): boolean {
    if (!this.#writer.pong(connection, payload, this.#options.nowMs())) return false;
    this.#advance(connection);
    return true;
  }

  /** Sends a ping to a connection, behind a pad if it is a train. */
  ping(connection: Connection, pad: Uint8Array | undefined): void {
    const nowMs = this.#options.nowMs();
    if (pad === undefined) this.#writer.pingNow(connection, nowMs);
    else this.#writer.train(connection, pad, nowMs);
  }

  /** A few times a second: positions, pings of quiet connections, catch-up, and evictions. */
  sweep(): void {
    const nowMs = this.#options.nowMs();
    this.#writer.begin(nowMs);
    this.#writer.elapse(nowMs);
    const sums = this.#sums.fill(0);
    this.#cutOff.begin();
    for (const group of this.#memberships.groups.values()) this.#sweepGroup(group, sums);
    const { gauges } = this.#options.numbers;
    gauges.set(sums.subarray(gauge.flowing), gauge.flowing);
    this.#cutOff.end(this.size, nowMs);
    this.#evictAll();
    this.#showGauges();
  }

  #sweepGroup(group: Group, sums: Float64Array): void {
    const { positionMs, idlePositionMs, tickMs, flow } = this.#options;
    // While batches are being written, some members are not where the others are. And as long as batches come, positions
    // travel with them: alone they would be half as many writes again.
    const position =
      this.#rounds.length > 0
        ? undefined
        : this.#writer.position(group, this.#positionHead, group.fed ? positionMs + tickMs : idlePositionMs);
    for (const connection of group.members) {
      const { delivery } = connection;
      if (delivery.over) {
        add(sums, gauge.closing, 1);
        continue;
      }
      this.#advance(connection);
      const live = delivery.state === 'live';
      const { backlogBytes } = connection;
      if (position !== undefined && position.length > 0 && live) this.#writer.write(connection, position);
      const beat = this.#beats.due(connection, { positionMs: group.positionMs, nowMs: this.#writer.nowMs });
      if (beat !== undefined) this.#writer.write(connection, beat);
      const unansweredMs = this.#writer.unansweredMs(connection);
      if (unansweredMs >= flow.lagMs / 2) this.#cutOff.silent();
      const next = delivery.judge(backlogBytes, unansweredMs, flow);
      if (next === 'evicted') this.#evicted.push(connection);
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
    const { nowMs, later, sliceMs } = this.#options;
    if (this.#run(nowMs() + sliceMs())) return;
    this.#sliceComes = true;
    later(() => this.#slice());
  }

  /** Writes what has come, until this time. Returns whether all is written. */
  #run(untilMs: number): boolean {
    const { nowMs, done, looksAfter } = this.#options;
    this.#writer.begin(nowMs());
    this.#untilLook = looksAfter;
    for (let round = this.#rounds[0]; round !== undefined; round = this.#rounds[0]) {
      if (!this.#runRound(round, untilMs)) break;
      this.#rounds.shift();
      done(round.batch.number);
    }
    this.#evictAll();
    return this.#rounds.length === 0;
  }

  /** Writes one batch. Returns false if the time is over first. */
  #runRound(round: Round, untilMs: number): boolean {
    const { looksAfter, nowMs } = this.#options;
    for (let group = round.group ?? round.nextGroup(); group !== undefined; group = round.nextGroup()) {
      for (let member = round.nextMember(); member !== undefined; member = round.nextMember()) {
        this.#give(group, member, round);
        if (--this.#untilLook > 0) continue;
        this.#untilLook = looksAfter;
        if (nowMs() >= untilMs) return false;
      }
    }
    return true;
  }

  #give(group: Group, connection: Connection, round: Round): void {
    const given = this.#writer.give(group, connection, round);
    if (given === 'held') this.#advance(connection);
    else if (given === 'evicted') this.#evicted.push(connection);
  }

  /** Gives one connection the batches that have come and that it has not had. */
  #settle(connection: Connection): void {
    const group = this.#memberships.groupOf(connection);
    if (this.#rounds.length === 0 || group === undefined) return;
    this.#writer.begin(this.#options.nowMs());
    for (const round of this.#rounds)
      if (connection.delivery.take(round.batch.number)) this.#give(group, connection, round);
  }

  /**
   * Another epoch begins: what was handed over of the old one is written first, and no answer that is under way counts
   * any more.
   */
  #begin(heads: Heads): void {
    this.#run(Number.POSITIVE_INFINITY);
    this.#asks.forget();
    this.#moveTo(heads);
    this.#writer.begin(this.#options.nowMs());
  }

  #moveTo(heads: Heads): void {
    this.#heads = heads;
    this.#positionHead = positionHeadOf(heads);
  }

  /** What a connection has if it is live. */
  #standpoint(connection: Connection): Standpoint {
    return { channels: this.channelsOf(connection), heads: this.#heads };
  }

  /** Asks for what a connection lacks, if its network has room for it. */
  #advance(connection: Connection): void {
    if (!connection.delivery.mayAsk || !this.#hasRoom(connection)) return;
    const maxBytes = connection.pieceBytes(this.#options.flow);
    this.#asks.add(connection, maxBytes, this.#memberships.groupOf(connection)?.stints ?? '');
  }

  #advanceAll(): void {
    for (const connection of this.#memberships.connections()) this.#advance(connection);
    this.#showGauges();
  }

  #hasRoom(connection: Connection): boolean {
    return connection.hasRoom(this.#options.flow, this.#options.nowMs());
  }

  /**
   * Says which channels begin, and from where critical messages go on in all channels of the connection. The next full position
   * comes when the connection is live: until then an earlier one would not speak for the new channels, and a client that
   * came back with it would miss messages without a word.
   */
  #sayBeginning(connection: Connection, added: readonly string[]): void {
    const group = this.#memberships.groupOf(connection);
    if (group === undefined) return;
    const { criticalEpoch, criticalSeq, criticalMs } = this.#heads;
    const at = connection.delivery.criticalReached(criticalSeq);
    const position = beginningAt(
      criticalEpoch,
      at,
      group.hashes,
      at === criticalSeq ? criticalMs : undefined,
    );
    this.say(connection, utf8Frame(controlText({ ...position, channels: added })));
  }

  /** The position that tells a connection that it is live. */
  #positionOf(connection: Connection): Buffer {
    const group = this.#memberships.groupOf(connection);
    if (group === undefined) return Buffer.alloc(0);
    return positionFrame(this.#positionHead, group, this.#writer.form(group.form));
  }

  #evictAll(): void {
    if (this.#evicted.length === 0) return;
    const evicted = this.#evicted;
    this.#evicted = [];
    for (const connection of evicted) this.#options.onEvict(connection, this.#reasonToEvict(connection));
  }

  #reasonToEvict(connection: Connection): EvictReason {
    const { flow } = this.#options;
    if (this.#cutOff.is(this.#writer.nowMs)) return 'cutOff';
    const isFull = connection.delivery.state === 'held' && this.#writer.unansweredMs(connection) < flow.lagMs;
    return isFull ? 'hardBytes' : 'lag';
  }

  #showGauges(): void {
    const { gauges } = this.#options.numbers;
    gauges[gauge.connections] = this.#memberships.size;
    gauges[gauge.groups] = this.#memberships.groups.size;
    gauges[gauge.notLive] = this.#tally.behind;
  }

  #regroup(connection: Connection, channels: readonly string[]): void {
    this.#memberships.change(connection, channels);
    this.#advance(connection);
    this.#showGauges();
  }
}

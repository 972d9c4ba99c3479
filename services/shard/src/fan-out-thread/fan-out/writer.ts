// Writes to connections and counts what it wrote: their part of a batch, with the ping and the position that are due. The
// hot path is `give`: it allocates nothing for a client, awaits nothing, logs nothing, and calls only what is below it.
import { encodePosition, textFrame } from '@weir/protocol';
import { add, count, gauge, histogram, observeBytes, observeLag } from '../../port/counts.ts';
import type { Form, FormName } from '../../port/frames-table.ts';
import type { Heads } from '../../port/messages.ts';
import type { Connection } from '../connection/connection.ts';
import type { PingKind, PingLimits } from '../connection/delivery-clock.ts';
import type { FlowLimits } from '../connection/policy.ts';
import type { Group } from './group.ts';
import { Pings } from './pings.ts';
import type { Round } from './round.ts';

/** What the caller still has to do for a connection that was given its part of a batch. */
export type Given = 'done' | 'held' | 'evicted';

/** Where its numbers go: counters, gauges, histograms (counts.ts). */
export interface FanOutNumbers {
  readonly fanOut: Float64Array;
  readonly gauges: Float64Array;
  readonly histograms: Float64Array;
}

export interface WriterOptions {
  readonly flow: FlowLimits;
  readonly ping: PingLimits;
  /** Time between two positions while data flows. */
  readonly positionMs: number;
  /** Compresses what is written to one connection or one group. */
  readonly deflate: Form;
  readonly numbers: FanOutNumbers;
  readonly pings?: Pings;
  /** Period of the batches. */
  readonly tickMs: number;
}

const plain: Form = (run) => run;
const NOTHING = Buffer.alloc(0);
/** Ticks are not exact: a ping that is due this soon goes with this batch. Alone it would be one more write. */
const EARLY_MS = 50;
/** How long turns share a ping: each connection knows when it got its own, and the nonces of few are remembered. */
const SHARED_MS = 10;

export class Writer {
  readonly #options: WriterOptions;
  readonly #pings: Pings;
  readonly #fanOut: Float64Array;
  readonly #histograms: Float64Array;
  readonly #gauges: Float64Array;
  readonly #pingsWithBatches: PingLimits;
  readonly #pingsAlone: PingLimits;
  #nowMs = 0;
  #ping: Buffer | undefined;
  #pingMs = 0;
  #counter = 0;
  #ahead: Buffer | undefined;
  #aheadMs = 0;
  #aheadCounter = 0;
  #sweptMs: number;
  /** Time in which this process ran. Clients are not blamed for a stop of the whole process. */
  #ranMs = 0;

  constructor(options: WriterOptions, nowMs: number) {
    this.#options = options;
    this.#pings = options.pings ?? new Pings();
    this.#fanOut = options.numbers.fanOut;
    this.#histograms = options.numbers.histograms;
    this.#gauges = options.numbers.gauges;
    this.#sweptMs = nowMs;
    const { ping, tickMs } = options;
    this.#pingsWithBatches = { ...ping, pingMs: ping.pingMs - Math.min(EARLY_MS, tickMs / 2) };
    this.#pingsAlone = { ...ping, pingMs: ping.pingMs + tickMs };
  }

  get nowMs(): number {
    return this.#nowMs;
  }

  /** Begins a turn of writing. All connections share its ping, except those that get two. */
  begin(nowMs: number): void {
    this.#nowMs = nowMs;
    if (nowMs - this.#pingMs >= SHARED_MS) this.#ping = undefined;
    if (nowMs - this.#aheadMs >= SHARED_MS) this.#ahead = undefined;
  }

  /** Adds the time since the last call in which this process ran; connections owe their pongs for longer by that. */
  elapse(nowMs: number): void {
    // If more time has passed, the process itself was stopped or starved.
    this.#ranMs += Math.min(nowMs - this.#sweptMs, 500);
    this.#sweptMs = nowMs;
  }

  /** How long a connection has owed a pong. */
  unansweredMs({ delivery }: Connection): number {
    return delivery.unansweredMs(this.#ranMs);
  }

  form(name: FormName): Form {
    return name === 'compressed' ? this.#options.deflate : plain;
  }

  write(connection: Connection, bytes: Uint8Array): void {
    if (connection.delivery.over) return;
    add(this.#fanOut, count.writes, 1);
    add(this.#fanOut, count.bytes, bytes.length);
    add(this.#gauges, gauge.backlogBytes, bytes.length);
    connection.write(bytes);
  }

  /** Gives one member of a group its part of a batch, as far as the policy and its room allow it. */
  give(group: Group, connection: Connection, round: Round): Given {
    const { delivery, clock } = connection;
    if (delivery.over) return 'done';
    if (group.batch !== round.batch.number) this.#prepare(group, round);
    if (group.fullBytes === 0) return 'done';
    const { flow } = this.#options;
    const counts = this.#fanOut;
    const queuedBytes = connection.socket.writableLength;
    const backlogBytes = Math.max(clock.backlog, queuedBytes);
    observeBytes(this.#histograms, histogram.buffered, queuedBytes);
    observeBytes(this.#histograms, histogram.backlog, backlogBytes);
    const next = delivery.judge(backlogBytes, 0, flow);
    if (next === 'evicted') return 'evicted';
    // What would pass the room of a client is no reason to evict it: the client gets it in pieces when there is room.
    const roomBytes = connection.roomBytes(backlogBytes, queuedBytes, flow);
    add(counts, count.stateOffered, group.stateFrames);
    add(counts, count.cosmeticOffered, group.cosmeticFrames);
    if (delivery.state !== 'live') return this.#giveCritical(group, connection, round, roomBytes);
    if (next === 'congested' || group.fullBytes > roomBytes) {
      delivery.holdState(round.batch, group.names, this.#nowMs);
      add(counts, count.congested, 1);
      this.#giveCritical(group, connection, round, roomBytes);
      return 'held';
    }
    add(counts, count.stateSent, group.stateFrames);
    add(counts, count.cosmeticSent, group.cosmeticFrames);
    return this.#send(group, connection, 'full');
  }

  /** Gives a member that is not live the critical messages of a batch, if it gets them as they come. */
  #giveCritical(group: Group, connection: Connection, round: Round, roomBytes: number): Given {
    const counts = this.#fanOut;
    add(counts, count.stateWithheld, group.stateFrames);
    add(counts, count.cosmeticDropped, group.cosmeticFrames);
    if (!connection.delivery.criticalLive || group.criticalFrames === 0) return 'done';
    if (group.criticalBytes > roomBytes) {
      connection.delivery.holdCritical(round.batch);
      add(counts, count.criticalWithheld, 1);
      return 'held';
    }
    return this.#send(group, connection, 'critical');
  }

  /** Writes a part of a batch, with a ping if one is due. Both parts have the critical messages. */
  #send(group: Group, connection: Connection, part: 'full' | 'critical'): Given {
    add(this.#fanOut, count.criticalSent, group.criticalFrames);
    const { clock } = connection;
    const bytes = part === 'full' ? group.fullBytes : group.criticalBytes;
    const due = clock.pingDue(this.#nowMs, bytes, this.#pingsWithBatches);
    const ping = due ? this.#sharedPing(clock.lastCounter) : undefined;
    this.write(connection, part === 'full' ? group.full(ping) : group.critical(ping));
    if (due) this.#pinged(connection, this.#counter);
    return 'done';
  }

  /**
   * Writes what a connection asked for. Pings in and behind it tell when it has arrived; if `more` follows, they also
   * measure the window.
   */
  catchUp(connection: Connection, parts: readonly Uint8Array[], more: boolean): void {
    const { clock, socket } = connection;
    const before = clock.written;
    clock.begin(this.#nowMs);
    socket.cork();
    if (more) this.#measure(connection);
    const ahead = clock.written;
    for (const part of parts) if (part.length > 0) connection.write(part);
    const empty = clock.written === ahead;
    if (!empty) add(this.#fanOut, count.catchUps, 1);
    const full = connection.windowFull(this.#options.flow);
    if (this.#pingsBehind(connection, { empty, last: full || !more })) {
      connection.write(this.#sharedPing(clock.lastCounter));
      this.#pinged(connection, this.#counter, full ? 'full' : 'any');
    }
    socket.uncork();
    const wrote = clock.written - before;
    add(this.#fanOut, count.writes, 1);
    add(this.#fanOut, count.bytes, wrote);
    add(this.#gauges, gauge.backlogBytes, wrote);
  }

  /** Sends a ping in front of a piece if the round trip is unknown or was measured long ago. */
  #measure(connection: Connection): void {
    const { clock, delivery } = connection;
    const { window } = delivery;
    if (window === undefined || !window.measures(this.#nowMs) || !clock.canPingInWindow) return;
    if (!connection.isCalm(this.#options.flow)) return;
    window.measured(this.#nowMs);
    const ping = this.#pingAhead();
    connection.write(ping);
    this.#pinged(connection, this.#aheadCounter, 'ahead');
  }

  #pingsBehind(connection: Connection, { empty, last }: { empty: boolean; last: boolean }): boolean {
    const { clock, delivery } = connection;
    const { window } = delivery;
    const { ping, flow } = this.#options;
    if (empty) return clock.pingDue(this.#nowMs, 0, ping);
    if (window === undefined) return clock.canPing;
    // Eight pongs a window are enough to see it move; the last piece of a window proves that it is empty.
    return clock.canPingInWindow && (last || clock.unpinged >= window.bytes(flow) / 8);
  }

  /** Charges a client for repeated snapshots when they are queued, not when the client asks for them. */
  charge(connection: Connection, bytes: number): void {
    connection.redraws?.charge(bytes);
    add(this.#fanOut, count.redrawnBytes, bytes);
  }

  /** A connection is gone; its backlog is no longer counted. */
  forget(connection: Connection): void {
    if (connection.delivery.leave()) add(this.#gauges, gauge.backlogBytes, -connection.clock.backlog);
  }

  /** Pings a connection if a ping is due and no batch has taken it along. */
  pingIfDue(connection: Connection): void {
    if (!connection.clock.pingDue(this.#nowMs, 0, this.#pingsAlone)) return;
    this.write(connection, this.#sharedPing(connection.clock.lastCounter));
    this.#pinged(connection, this.#counter);
  }

  /** Pings a connection behind what was written to it. */
  pingNow(connection: Connection, nowMs: number): void {
    this.begin(nowMs);
    this.write(connection, this.#sharedPing(connection.clock.lastCounter));
    this.#pinged(connection, this.#counter);
  }

  /** Writes a train: a pad with a ping behind it that no other connection gets. */
  train(connection: Connection, pad: Uint8Array, nowMs: number): void {
    this.#nowMs = nowMs;
    const { socket } = connection;
    const ping = this.#pings.next();
    socket.cork();
    // No backlog: no message waits for padding to arrive, or is withheld because of it.
    socket.write(pad);
    this.write(connection, ping);
    socket.uncork();
    this.#pinged(connection, this.#pings.counter, 'train');
  }

  /** A pong came. Returns whether it proved anything. */
  pong(connection: Connection, payload: Buffer, nowMs: number): boolean {
    const { clock, delivery } = connection;
    const before = clock.backlog;
    if (!clock.ponged(this.#pings.counterOf(payload), nowMs)) {
      add(this.#fanOut, count.pongsForeign, 1);
      return false;
    }
    add(this.#fanOut, count.pongs, 1);
    add(this.#fanOut, count.deliveredBytes, before - clock.backlog);
    if (delivery.state !== 'gone') add(this.#gauges, gauge.backlogBytes, clock.backlog - before);
    observeLag(this.#histograms, clock.lagMs);
    delivery.window?.ponged(clock, nowMs);
    delivery.ponged(this.#ranMs, clock.waitingSinceMs !== undefined);
    return true;
  }

  /** A position frame for a group; empty if none is due. */
  position(group: Group, head: string, everyMs: number): Buffer {
    if (this.#nowMs - group.positionMs < everyMs || head === group.positionHead) return NOTHING;
    group.positionMs = this.#nowMs;
    group.positionHead = head;
    group.fed = false;
    return positionFrame(head, group, this.form(group.form));
  }

  /** A batch that is prepared twice has the same position both times. */
  #prepare(group: Group, { batch, positionHead }: Round): void {
    group.fed = true;
    group.measure(batch);
    if (group.fullBytes === 0) return;
    if (group.positionBatch === batch.number) {
      group.addPosition(positionFrame(positionHead, group, this.form(group.form)));
      return;
    }
    // Half a period early rather than a whole batch late.
    const { positionMs, tickMs } = this.#options;
    const position = this.position(group, positionHead, positionMs - tickMs / 2);
    if (position.length === 0) return;
    group.positionBatch = batch.number;
    group.addPosition(position);
  }

  #pinged(connection: Connection, counter: number, kind: PingKind = 'any'): void {
    add(this.#fanOut, count.pings, 1);
    connection.clock.pinged(counter, this.#nowMs, kind);
    connection.delivery.pinged(this.#ranMs);
  }

  /** The ping of this turn, or of a recent one; another for a connection whose last ping it was. */
  #sharedPing(lastCounter: number): Buffer {
    if (this.#ping === undefined || this.#counter === lastCounter) {
      this.#ping = this.#pings.next();
      this.#counter = this.#pings.counter;
      this.#pingMs = this.#nowMs;
    }
    return this.#ping;
  }

  /** The same for pings in front of pieces. */
  #pingAhead(): Buffer {
    if (this.#ahead === undefined) {
      this.#ahead = this.#pings.next();
      this.#aheadCounter = this.#pings.counter;
      this.#aheadMs = this.#nowMs;
    }
    return this.#ahead;
  }
}

/** The beginning of every position at these heads; the channels' hashes follow it. */
export function positionHeadOf(heads: Heads): string {
  return encodePosition({ ...heads, channels: [] });
}

/** The position message of a group, as `controlText` would write it. */
export function positionFrame(head: string, group: { readonly hashes: string }, form: Form): Buffer {
  return form(textFrame(`{"type":"position","pos":"${head}${group.hashes}"}`));
}

// Listens to a client that is served: its subscriptions, the rate of its frames, and the pongs that prove delivery. Frames
// are counted before the WebSocket library parses them. It writes nothing and closes no connection itself.
import type { ControlMessage } from '@weir/protocol';
import { CLOSE_OPCODE, PONG_OPCODE } from '@weir/runtime';
import type { Connection } from './connection.ts';
import type { InboundLimits, InboundView } from './inbound.ts';
import { InboundRate, judgeInbound } from './inbound.ts';
import type { RedrawLimits } from './redraws.ts';
import { Redraws } from './redraws.ts';

/** Allowed pongs that prove nothing, per message: some client libraries keep a connection alive by them. */
const PONGS_A_MESSAGE = 10;
/** Allowed TCP pieces per message or pong: a piece of one byte costs the shard as much as a message. */
const PIECES_A_MESSAGE = 20;

export interface Hearing {
  readonly limits: InboundLimits;
  readonly redraws: RedrawLimits;
  /** Most critical messages of a channel that a subscription may begin with. */
  readonly lastMax: number;
  readonly nowMs: () => number;
  /** Runs something later; by default with a timer that does not keep the thread alive. */
  readonly later?: (run: () => void, ms: number) => void;
  /** The channels that the connection has, and those that it may have. */
  readonly view: () => InboundView;
  /** Returns whether the pong proves that something has arrived. */
  readonly pong: (payload: Buffer) => boolean;
  readonly subscribe: (channels: readonly string[], last: number | undefined) => void;
  readonly unsubscribe: (channels: readonly string[]) => void;
  /** A subscription has to wait. */
  readonly delayed: () => void;
  readonly say: (messages: readonly ControlMessage[]) => void;
  readonly close: (cause: 'tooManyMessages' | 'protocolError', reason?: string) => void;
  /** The client says Close. */
  readonly left: () => void;
}

export function hear(connection: Connection, by: Hearing): void {
  const { ws, gate } = connection;
  const { limits, nowMs } = by;
  const rate = new InboundRate(limits, nowMs());
  connection.redraws = new Redraws(by.redraws, connection.ticket.channels, nowMs());
  const ear = new Ear(connection, connection.redraws, by);
  const pongRate = new InboundRate(
    { perSecond: limits.perSecond * PONGS_A_MESSAGE, burst: limits.burst * PONGS_A_MESSAGE },
    nowMs(),
  );
  const pieceRate = new InboundRate(
    { perSecond: limits.perSecond * PIECES_A_MESSAGE, burst: limits.burst * PIECES_A_MESSAGE },
    nowMs(),
  );
  const judged = (within: boolean): boolean => {
    if (!within) by.close('tooManyMessages');
    return within;
  };
  gate.open(
    (opcode) => {
      if (opcode !== CLOSE_OPCODE) return judged((opcode === PONG_OPCODE ? pongRate : rate).take(nowMs()));
      by.left();
      return true;
    },
    () => judged(pieceRate.take(nowMs())),
  );
  ws.on('pong', (payload) => {
    if (!by.pong(payload)) return;
    pongRate.giveBack();
    pieceRate.giveBack();
  });
  ws.on('message', (data, binary) => {
    if (!connection.delivery.over && Buffer.isBuffer(data)) ear.hear(data, binary);
  });
}

/** Does what a client's messages ask for, at once or when the client's budget allows it. */
class Ear {
  readonly #connection: Connection;
  readonly #redraws: Redraws;
  readonly #by: Hearing;
  #timed = false;
  /** Subscriptions that wait and begin with earlier critical messages: with how many, by channel. */
  readonly #lastOf = new Map<string, number>();

  constructor(connection: Connection, redraws: Redraws, by: Hearing) {
    this.#connection = connection;
    this.#redraws = redraws;
    this.#by = by;
  }

  hear(data: Buffer, binary: boolean): void {
    const by = this.#by;
    const { channels, allow } = by.view();
    const judged = judgeInbound(data, binary, { channels: [...channels, ...this.#redraws.waiting], allow });
    if (judged.act === 'close') return by.close('protocolError', judged.reason);
    this.#redraws.chargeAnswers(judged.errors.length);
    by.say(judged.errors);
    if (judged.act === 'answer' || judged.channels.length === 0) return;
    if (judged.act === 'subscribe') {
      const last = judged.last === undefined ? undefined : Math.min(judged.last, by.lastMax);
      return this.#subscribe(judged.channels, last);
    }
    this.#redraws.drop(judged.channels);
    for (const channel of judged.channels) this.#lastOf.delete(channel);
    const begun = judged.channels.filter((channel) => channels.includes(channel));
    if (begun.length > 0) by.unsubscribe(begun);
  }

  #subscribe(channels: readonly string[], last: number | undefined): void {
    const by = this.#by;
    const now = this.#redraws.ask(channels, by.nowMs());
    if (now.length < channels.length) by.delayed();
    if (this.#redraws.persistent)
      return by.close('tooManyMessages', 'too many snapshots of the same channels');
    if (now.length > 0) by.subscribe(now, last);
    if (last !== undefined)
      for (const channel of channels) if (!now.includes(channel)) this.#lastOf.set(channel, last);
    this.#wait();
  }

  /** Begins channels that have waited, those that asked for equally many earlier messages together. */
  #begin(due: readonly string[]): void {
    const channelsBy = new Map<number | undefined, string[]>();
    for (const channel of due) {
      const last = this.#lastOf.get(channel);
      this.#lastOf.delete(channel);
      channelsBy.set(last, [...(channelsBy.get(last) ?? []), channel]);
    }
    for (const [last, channels] of channelsBy) this.#by.subscribe(channels, last);
  }

  /** Keeps one timer while a subscription waits. */
  #wait(): void {
    if (this.#timed || this.#redraws.waiting.length === 0) return;
    this.#timed = true;
    const { later = (run, ms): unknown => setTimeout(run, ms).unref() } = this.#by;
    later(() => {
      this.#timed = false;
      if (this.#connection.delivery.over) return;
      this.#begin(this.#redraws.due(this.#by.nowMs()));
      this.#wait();
    }, this.#redraws.waitMs);
  }
}

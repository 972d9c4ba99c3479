// Listens to a client once it is served: what it asks for, how fast it speaks, and the pongs that prove what has arrived.
// Frames are counted before the WebSocket library parses them. It writes nothing and closes nobody itself.
import type { ControlMessage } from '@weir/protocol';
import { CLOSE_OPCODE, PONG_OPCODE } from '@weir/runtime';
import type { Connection } from './connection.ts';
import type { InboundLimits, InboundView } from './inbound.ts';
import { InboundRate, judgeInbound } from './inbound.ts';

/** Pongs that prove nothing may be so much more than messages: some stacks keep a connection alive by them. */
const PONGS_A_MESSAGE = 10;

export interface Hearing {
  readonly limits: InboundLimits;
  readonly nowMs: () => number;
  /** What the connection has and may have now. */
  readonly view: () => InboundView;
  /** Answers whether the pong proves that something has arrived. */
  readonly pong: (payload: Buffer) => boolean;
  readonly subscribe: (channels: readonly string[]) => void;
  readonly unsubscribe: (channels: readonly string[]) => void;
  readonly say: (messages: readonly ControlMessage[]) => void;
  readonly close: (cause: 'tooManyMessages' | 'protocolError', reason?: string) => void;
  /** The client says Close. */
  readonly left: () => void;
}

export function hear(connection: Connection, by: Hearing): void {
  const { ws, gate } = connection;
  const { limits, nowMs } = by;
  const rate = new InboundRate(limits, nowMs());
  const pongRate = new InboundRate(
    { perSecond: limits.perSecond * PONGS_A_MESSAGE, burst: limits.burst * PONGS_A_MESSAGE },
    nowMs(),
  );
  gate.open((opcode) => {
    if (opcode === CLOSE_OPCODE) {
      by.left();
      return true;
    }
    const within = opcode === PONG_OPCODE ? pongRate.take(nowMs()) : rate.take(nowMs());
    if (!within) by.close('tooManyMessages');
    return within;
  });
  ws.on('pong', (payload) => {
    if (by.pong(payload)) pongRate.giveBack();
  });
  ws.on('message', (data, binary) => {
    if (!connection.closing && Buffer.isBuffer(data)) heard(data, binary, by);
  });
}

function heard(data: Buffer, binary: boolean, by: Hearing): void {
  const judged = judgeInbound(data, binary, by.view());
  if (judged.act === 'close') return by.close('protocolError', judged.reason);
  by.say(judged.errors);
  if (judged.act === 'answer' || judged.channels.length === 0) return;
  if (judged.act === 'subscribe') by.subscribe(judged.channels);
  else by.unsubscribe(judged.channels);
}

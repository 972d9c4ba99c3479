// One client's socket as the fan-out sees it: what has been written, how far it got, and what it still has to catch up
// with. It writes bytes it is given; it never encodes, and it never looks at another connection.
import type { Duplex } from 'node:stream';
import type { Position, Ticket } from '@weir/protocol';
import type { FrameGate } from '@weir/runtime';
import type { WebSocket } from 'ws';
import type { Cursor, ResumeWait } from '../../port/catch-up.ts';
import type { ChannelStart } from '../../port/messages.ts';
import type { Standing } from '../reassign/standing.ts';
import { Awaited } from './awaited.ts';
import { DeliveryClock } from './delivery-clock.ts';
import type { Flow, FlowLimits } from './policy.ts';
import { isStuck, nextFlow } from './policy.ts';
import type { Redraws } from './redraws.ts';
import { Window } from './window.ts';

/** What a connection that is not live has asked for; others at the same cursors may have asked with it. */
export interface Ask {
  readonly id: number;
  readonly key: string;
  readonly waiting: Connection[];
}

/** What is known of a connection when it is admitted. */
export interface Admitted {
  readonly session: string;
  readonly socket: Duplex;
  readonly ws: WebSocket;
  readonly gate: FrameGate;
  readonly ticket: Ticket;
  readonly starts: readonly ChannelStart[];
  /** Where the client was, if it comes back. */
  readonly position?: Position | undefined;
  /** Whether permessage-deflate was negotiated. */
  readonly compressed: boolean;
  readonly nowMs: number;
}

export class Connection {
  readonly session: string;
  readonly ws: WebSocket;
  readonly gate: FrameGate;
  readonly ticket: Ticket;
  readonly clock: DeliveryClock;
  readonly awaited: Awaited = new Awaited();
  /** Its messages are compressed, every one of them. */
  readonly compressed: boolean;
  /** Gets every tick's state and cosmetic frames. Otherwise its cursors say where it stands. */
  stateLive = false;
  /** Gets critical frames as they come. */
  criticalLive = false;
  flow: Flow = 'flowing';
  /** Set when its end is decided, by whichever side: nothing more is written. */
  closing = false;
  /** Set when it has left the fan-out: nothing more is written. */
  gone = false;
  /** Until when it may be on its way elsewhere, since it was asked to move; nobody else asks it meanwhile. */
  leavingUntilMs: number = Number.NEGATIVE_INFINITY;
  /** Drawn to be moved for the balance of its pool, which happens once. */
  shed = false;
  /** How it stands in its pool; nothing where nobody looks. */
  standing: Standing | undefined = undefined;
  /** Since when it gets everything that comes; infinity where it does not. */
  flowingSinceMs: number = Number.POSITIVE_INFINITY;
  readonly openedMs: number;
  /** When the oldest unanswered ping was sent, in time that the process ran; nothing where all are answered. */
  unansweredSinceMs: number | undefined = undefined;
  /** Where it stands in its group's list of members; kept by the group. */
  slot = -1;
  cursors: readonly Cursor[];
  /** Bounds what it draws by asking; nothing where nobody hears it. */
  redraws: Redraws | undefined = undefined;
  /** What its pongs proved; nothing before a catch-up took more than one piece. */
  window: Window | undefined = undefined;
  /** Critical messages wait because there was no room for them. */
  full = false;
  waitsFor: ResumeWait;
  /** The catch-up that it waits for. */
  ask: Ask | undefined = undefined;
  /** The second in which the user's token ends it; kept by `Expiries`. */
  endsS = 0;
  /** When it got a beat last, or came. */
  beatMs: number;
  /** Number of the last batch that it was given, or that came before it. */
  batch = 0;
  /** Channels that were unsubscribed when a snapshot of them had begun and not ended. */
  readonly halfSent: Set<string> = new Set();
  readonly socket: Duplex;

  constructor(admitted: Admitted) {
    this.session = admitted.session;
    this.ws = admitted.ws;
    this.gate = admitted.gate;
    this.ticket = admitted.ticket;
    this.socket = admitted.socket;
    this.compressed = admitted.compressed;
    this.openedMs = admitted.nowMs;
    this.beatMs = admitted.nowMs;
    this.clock = new DeliveryClock(admitted.nowMs);
    this.waitsFor = admitted.position === undefined ? 'nothing' : 'pong';
    this.cursors = admitted.starts.map(({ channel, stateSeq, snapshot, criticalSeq }) => ({
      channel,
      stateSeq,
      snapshot,
      snapshotSeq: 0,
      half: false,
      criticalSeq,
    }));
  }

  get live(): boolean {
    return this.stateLive && this.criticalLive;
  }

  /** Bytes that may not have reached the client: unproven ones, or those still in the socket's own queue. */
  get backlogBytes(): number {
    return Math.max(this.clock.backlog, this.socket.writableLength);
  }

  /** Writes frames that others may share; they are never changed afterwards. */
  write(bytes: Uint8Array): void {
    this.clock.written += bytes.length;
    this.socket.write(bytes);
  }

  /** Every channel begins anew with a snapshot. Only while its state is not live. */
  beginSnapshots(): void {
    this.cursors = this.cursors.map(({ channel, half, criticalSeq }) => ({
      channel,
      stateSeq: 0,
      snapshot: true,
      snapshotSeq: 0,
      half,
      criticalSeq,
    }));
  }

  /** Critical messages of all channels come from after `seq` on, as catch-up. Only while its state is not live. */
  catchUpCritical(seq: number): void {
    this.criticalLive = false;
    this.cursors = this.cursors.map((cursor) => ({ ...cursor, criticalSeq: seq }));
  }

  /** One piece was not all that it lacks: from now on its pongs prove a window. */
  openWindow(): void {
    this.window ??= new Window();
  }

  /** Size of the next piece of a catch-up. */
  pieceBytes(limits: FlowLimits): number {
    return this.window?.pieceBytes(limits) ?? limits.softBytes / 2;
  }

  /** Whether the last piece has arrived: hardly anything is under way. */
  isCalm(limits: FlowLimits): boolean {
    return this.backlogBytes <= limits.softBytes / 4;
  }

  /** Whether one more piece would pass what may be under way. */
  windowFull(limits: FlowLimits): boolean {
    const { backlogBytes, window } = this;
    if (this.isCalm(limits)) return false;
    // Without a window: with two pieces under way, the newer would be twice as old on arrival.
    return window === undefined || backlogBytes + window.pieceBytes(limits) > window.bytes(limits);
  }

  /** Whether it may be sent another piece now. */
  hasRoom(limits: FlowLimits, nowMs: number): boolean {
    const { window, clock, socket } = this;
    if (this.windowFull(limits)) return false;
    if (window === undefined || this.isCalm(limits)) return true;
    if (!clock.canPingInWindow || window.isOverdue(nowMs - (clock.waitingSinceMs ?? nowMs))) return false;
    // What the network does not take must not pile up in here, however far away the client is.
    return socket.writableLength + window.pieceBytes(limits) <= limits.hardBytes;
  }

  /**
   * Bytes that may be written to it beside its pieces: `hardBytes` in all, or a little more than its window where that
   * is larger, and never more than it takes well before it would count as stuck.
   */
  roomBytes(backlogBytes: number, queuedBytes: number, limits: FlowLimits): number {
    const { window } = this;
    if (window === undefined) return limits.hardBytes - backlogBytes;
    let mostBytes = Math.max(limits.hardBytes, window.bytes(limits) + limits.softBytes);
    if (window.bytesPerMs > 0) {
      const inTimeBytes = window.bytesPerMs * (limits.lagMs / 4);
      mostBytes = Math.max(limits.softBytes, Math.min(mostBytes, inTimeBytes));
    }
    return Math.min(mostBytes - backlogBytes, limits.hardBytes - queuedBytes);
  }

  /** Applies the policy of the pool to a backlog. */
  judge(backlogBytes: number, unansweredMs: number, limits: FlowLimits): Flow {
    this.flow = nextFlow(this.flow, limits, backlogBytes, isStuck(this.full, unansweredMs, limits));
    return this.flow;
  }
}

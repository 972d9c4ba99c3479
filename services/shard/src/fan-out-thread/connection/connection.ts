// One client: its socket, the fixed facts of its admission, and what was written to it and has arrived. What it gets is
// decided in delivery.ts. It writes bytes that it is given; it never encodes, and never looks at another connection.
import type { Duplex } from 'node:stream';
import type { Position, Ticket } from '@weir/protocol';
import type { FrameGate } from '@weir/runtime';
import type { WebSocket } from 'ws';
import type { ChannelStart } from '../../port/messages.ts';
import type { Look } from '../reassign/look.ts';
import type { Standing } from '../reassign/standing.ts';
import { Awaited } from './awaited.ts';
import { Delivery } from './delivery.ts';
import { DeliveryClock } from './delivery-clock.ts';
import type { FlowLimits } from './policy.ts';
import type { Redraws } from './redraws.ts';

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
  readonly socket: Duplex;
  /** Every message to it is compressed. */
  readonly compressed: boolean;
  readonly openedMs: number;
  /** What it gets now, and where it stands. */
  readonly delivery: Delivery;
  readonly clock: DeliveryClock;
  readonly awaited: Awaited = new Awaited();
  /** How it stands in its pool; undefined if no reassignment looks at it. */
  standing: Standing | undefined = undefined;
  /** The second look at its network; undefined if there is none. */
  look: Look | undefined = undefined;
  /** Bounds what it draws by asking; undefined until `hear` listens to it. */
  redraws: Redraws | undefined = undefined;
  /** Until when it may be on its way elsewhere, because it was asked to move: no other move asks it meanwhile. */
  leavingUntilMs: number = Number.NEGATIVE_INFINITY;
  /** It was drawn to be moved for rebalancing, which happens once. */
  shed = false;
  /** Its index among the members of its group; the group keeps it. */
  slot = -1;
  /** The second in which the user's token ends it; kept by `Expiries`. */
  endsS = 0;
  /** When it last got a beat, or came. */
  beatMs: number;

  constructor(admitted: Admitted) {
    this.session = admitted.session;
    this.ws = admitted.ws;
    this.gate = admitted.gate;
    this.ticket = admitted.ticket;
    this.socket = admitted.socket;
    this.compressed = admitted.compressed;
    this.openedMs = admitted.nowMs;
    this.beatMs = admitted.nowMs;
    this.delivery = new Delivery(admitted.starts, admitted.position !== undefined);
    this.clock = new DeliveryClock(admitted.nowMs);
  }

  /** Bytes that may not have reached the client: unproven ones, or those in the socket's own queue if they are more. */
  get backlogBytes(): number {
    return Math.max(this.clock.backlog, this.socket.writableLength);
  }

  /** Writes frames that other clients may share; they are never changed afterwards. */
  write(bytes: Uint8Array): void {
    this.clock.written += bytes.length;
    this.socket.write(bytes);
  }

  /** Size of the next piece of a catch-up. */
  pieceBytes(limits: FlowLimits): number {
    return this.delivery.window?.pieceBytes(limits) ?? limits.softBytes / 2;
  }

  /** Whether the last piece has arrived: hardly anything is under way. */
  isCalm(limits: FlowLimits): boolean {
    return this.backlogBytes <= limits.softBytes / 4;
  }

  /** Whether one more piece would pass what may be under way. */
  windowFull(limits: FlowLimits): boolean {
    const { backlogBytes } = this;
    const { window } = this.delivery;
    if (this.isCalm(limits)) return false;
    // Without a window: with two pieces under way, the newer would be twice as old on arrival.
    return window === undefined || backlogBytes + window.pieceBytes(limits) > window.bytes(limits);
  }

  /** Whether it may be sent another piece now. */
  hasRoom(limits: FlowLimits, nowMs: number): boolean {
    const { clock, socket } = this;
    const { window } = this.delivery;
    if (this.windowFull(limits)) return false;
    if (window === undefined || this.isCalm(limits)) return true;
    if (!clock.canPingInWindow || window.isOverdue(nowMs - (clock.waitingSinceMs ?? nowMs))) return false;
    // Bytes that the network does not take must not pile up in this process, however far away the client is.
    return socket.writableLength + window.pieceBytes(limits) <= limits.hardBytes;
  }

  /**
   * Bytes that may be written to it beside its pieces: `hardBytes` in all, or a little more than its window if that is
   * larger, but no more than it can take in a quarter of `lagMs`, well before it would count as stuck.
   */
  roomBytes(backlogBytes: number, queuedBytes: number, limits: FlowLimits): number {
    const { window } = this.delivery;
    if (window === undefined) return limits.hardBytes - backlogBytes;
    let mostBytes = Math.max(limits.hardBytes, window.bytes(limits) + limits.softBytes);
    if (window.bytesPerMs > 0) {
      const inTimeBytes = window.bytesPerMs * (limits.lagMs / 4);
      mostBytes = Math.max(limits.softBytes, Math.min(mostBytes, inTimeBytes));
    }
    return Math.min(mostBytes - backlogBytes, limits.hardBytes - queuedBytes);
  }
}

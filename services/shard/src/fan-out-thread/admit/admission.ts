// The door of a shard: path, room, ticket, then the upgrade. A client that is refused is upgraded all the same, only to
// get a close code: browsers hide HTTP answers from pages. It keeps no connection.
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { CloseCode, Position, Ticket, TicketProblem, Verified } from '@weir/protocol';
import { closeCodes, decodePosition, limits, paths, subprotocol } from '@weir/protocol';
import { FrameGate, refuseSocket } from '@weir/runtime';
import type { PerMessageDeflateOptions, WebSocket } from 'ws';
import { WebSocketServer } from 'ws';
import type { Arrived, ChannelStart } from '../../port/messages.ts';
import type { AdmitOutcome } from '../../port/outcomes.ts';
import { NO_EPOCH } from '../connection/beginning.ts';

/** A client that is admitted. */
export interface Arrival {
  readonly socket: Duplex;
  readonly ws: WebSocket;
  readonly gate: FrameGate;
  readonly ticket: Ticket;
  readonly position: Position | undefined;
  /** Where its channels begin. */
  readonly starts: readonly ChannelStart[];
  /** Whether permessage-deflate was negotiated. */
  readonly compressed: boolean;
}

/** A client with a good ticket. */
export interface Arriving {
  readonly ticket: Ticket;
  readonly expiresInMs: number;
  readonly position: Position | undefined;
  /** How many critical messages it asks for in channels that the position does not speak for. */
  readonly last: number | undefined;
}

/** A client that is refused with a close code. */
export interface Refused extends Pick<Arrival, 'ws' | 'socket' | 'gate'> {
  readonly code: CloseCode;
  readonly reason: string;
}

export interface AdmissionOptions {
  /** Most bytes that are read of a client that is closing. */
  readonly closingBytes: number;
  /** Most critical messages of a channel that a client may begin with. */
  readonly lastMax: number;
  /** Whether permessage-deflate is negotiated with clients that offer it. */
  readonly compression: boolean;
  readonly verify: (ticket: string) => Promise<Verified<Ticket>>;
  /** Takes one of the handshakes that may be under way; false if there are too many. */
  readonly begin: () => boolean;
  readonly end: () => void;
  /** Takes a seat, or says why no client is admitted now. The seat is the client's as soon as it is admitted. */
  readonly takeSeat: () => 'taken' | 'full' | 'draining' | 'notReady';
  readonly leaveSeat: () => void;
  /** Uses up the ticket, waits until this shard has read as far as the position says, and finds where to begin. */
  readonly arrive: (arriving: Arriving) => Promise<Arrived>;
  /** Closes a client that is refused. Only its Close is read. */
  readonly close: (end: Refused) => void;
  readonly admit: (arrival: Arrival) => void;
  readonly count: (outcome: AdmitOutcome) => void;
}

const byProblem: Readonly<
  Record<TicketProblem, { readonly outcome: AdmitOutcome; readonly code: CloseCode }>
> = {
  TICKET_FORGED: { outcome: 'forged', code: closeCodes.notAuthorised },
  TICKET_WRONG_POOL: { outcome: 'wrongPool', code: closeCodes.notAuthorised },
  TICKET_WRONG_SHARD: { outcome: 'wrongShard', code: closeCodes.ticketRefused },
  TICKET_EXPIRED: { outcome: 'expired', code: closeCodes.ticketRefused },
  TICKET_CLOCK_SKEW: { outcome: 'clockSkew', code: closeCodes.ticketRefused },
};

const byRefusal = {
  full: closeCodes.noCapacity,
  draining: closeCodes.restarting,
  notReady: closeCodes.noCapacity,
} as const;

type Verdict =
  | { readonly outcome: 'admitted'; readonly ticket: Ticket; readonly starts: readonly ChannelStart[] }
  | { readonly outcome: AdmitOutcome; readonly code: CloseCode; readonly reason: string };

export class Admission {
  readonly #options: AdmissionOptions;
  readonly #plain = acceptor(false);
  readonly #compressing = acceptor({ serverNoContextTakeover: true, clientNoContextTakeover: true });

  constructor(options: AdmissionOptions) {
    this.#options = options;
  }

  /** Handles an `upgrade` event of the HTTP server. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on('error', ignore);
    const url = request.url ?? '';
    const queryAt = url.indexOf('?');
    const path = queryAt < 0 ? url : url.slice(0, queryAt);
    if (path !== paths.stream || request.method !== 'GET') return this.#refuse(socket, 404, 'path');
    if (url.length > limits.urlBytes * 2) return this.#refuse(socket, 414, 'path');
    if (!this.#options.begin()) return this.#refuse(socket, 503, 'busy');
    const query = new URLSearchParams(queryAt < 0 ? '' : url.slice(queryAt + 1));
    this.#handshake({ request, socket, head, query })
      .catch(() => {
        // One client's handshake must not end the process that serves all others.
        this.#options.count('failed');
        socket.destroy();
      })
      .finally(() => this.#options.end());
  }

  /** Answers a request that is no upgrade. */
  answer(request: IncomingMessage): { readonly status: number; readonly text: string } {
    if (request.url?.split('?')[0] !== paths.stream) return { status: 404, text: 'not found' };
    this.#options.count('notUpgrade');
    return { status: 426, text: `open ${paths.stream} as a WebSocket, with the ticket that the router gave` };
  }

  async #handshake(at: {
    request: IncomingMessage;
    socket: Duplex;
    head: Buffer;
    query: URLSearchParams;
  }): Promise<void> {
    const { request, socket, head, query } = at;
    const ticket = query.get('ticket') ?? '';
    const resume = query.get('resume');
    const given = resume === null ? undefined : decodePosition(resume);
    // A page that was reloaded has its position and no state.
    const position = given !== undefined && query.get('snapshot') === '1' ? withoutState(given) : given;
    const last = lastOf(query.get('last') ?? '', this.#options.lastMax);
    const verdict = await this.#judge(ticket, { position, last });
    let admitted = false;
    try {
      admitted = this.#answerUpgrade({ request, socket, head }, verdict, position);
    } finally {
      if ('ticket' in verdict && !admitted) this.#options.leaveSeat();
    }
  }

  /** Answers the upgrade: admits the client, or tells it why not. Returns whether it is admitted. */
  #answerUpgrade(
    { request, socket, head }: { request: IncomingMessage; socket: Duplex; head: Buffer },
    verdict: Verdict,
    position: Position | undefined,
  ): boolean {
    const { count, admit, close, closingBytes } = this.#options;
    if (socket.destroyed) {
      count('gone');
      return false;
    }
    let upgraded = false;
    const server = this.#options.compression && mayCompress(request) ? this.#compressing : this.#plain;
    server.handleUpgrade(request, socket, head, (ws) => {
      upgraded = true;
      ws.on('error', ignore);
      const gate = new FrameGate(socket, closingBytes);
      const compressed = ws.extensions.includes('permessage-deflate');
      if ('ticket' in verdict)
        admit({ socket, ws, gate, ticket: verdict.ticket, position, starts: verdict.starts, compressed });
      else close({ ws, socket, gate, code: verdict.code, reason: verdict.reason });
      count(verdict.outcome);
    });
    if (!upgraded) count('notUpgrade');
    return upgraded;
  }

  async #judge(token: string, asked: Pick<Arriving, 'position' | 'last'>): Promise<Verdict> {
    const { verify, takeSeat, leaveSeat, arrive } = this.#options;
    const verified = await verify(token);
    if (!verified.ok) {
      const { outcome, code } = byProblem[verified.problem];
      return { outcome, code, reason: code.reason };
    }
    const seat = takeSeat();
    if (seat !== 'taken') return { outcome: seat, code: byRefusal[seat], reason: byRefusal[seat].reason };
    const { value: ticket, expiresInMs } = verified;
    let seated = false;
    try {
      const arrived = await arrive({ ticket, expiresInMs, ...asked });
      seated = arrived.use === 'first';
      if (arrived.use === 'first') return { outcome: 'admitted', ticket, starts: arrived.starts };
      if (arrived.use === 'again')
        return { outcome: 'used', code: closeCodes.ticketRefused, reason: 'ticket used' };
      if (arrived.use === 'drawsTooMuch')
        return { outcome: arrived.use, code: closeCodes.noCapacity, reason: 'too many snapshots' };
      return { outcome: 'full', code: closeCodes.noCapacity, reason: closeCodes.noCapacity.reason };
    } finally {
      if (!seated) leaveSeat();
    }
  }

  #refuse(socket: Duplex, status: number, outcome: AdmitOutcome): void {
    this.#options.count(outcome);
    refuseSocket(socket, { status, headers: status === 503 ? { 'Retry-After': '1' } : {} });
  }
}

/** How many critical messages a client asks for; undefined where it asks for none, or for what is no number. */
function lastOf(text: string, most: number): number | undefined {
  const last = /^\d{1,6}$/.test(text) ? Math.min(Number(text), most) : 0;
  return last > 0 ? last : undefined;
}

function withoutState(position: Position): Position {
  return { ...position, stateEpoch: NO_EPOCH, stateSeq: 0 };
}

/** The limit of size is for the inflated message. */
function acceptor(perMessageDeflate: false | PerMessageDeflateOptions): WebSocketServer {
  const options = {
    noServer: true,
    clientTracking: false,
    perMessageDeflate,
    maxPayload: limits.clientMessageBytes,
    // Pings are counted before they get there.
    maxPendingAutoPongs: 0,
    handleProtocols: (offered: ReadonlySet<string>) =>
      offered.has(subprotocol.version) ? subprotocol.version : false,
  };
  return new WebSocketServer(options);
}

/** Frames are compressed once for all clients, with the largest window. A client that demands a smaller one gets plain frames. */
function mayCompress(request: IncomingMessage): boolean {
  return !request.headers['sec-websocket-extensions']?.includes('server_max_window_bits');
}

function ignore(): void {
  // The owner of a failed socket closes it; the event only needs a listener.
}

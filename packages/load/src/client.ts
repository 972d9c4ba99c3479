// One client of the load: router, redirect, stream, moves, resume, retries, as in docs/protocol.md. Keeps no channel
// state: it counts, and parses only as much as it must.
import { afterClose, closeCodes, subprotocol } from '@weir/protocol';
import { WebSocket } from 'ws';
import type { Counts } from './counts.ts';
import { Sequences } from './sequences.ts';
import { eachStamp, placeOf } from './stamps.ts';

export interface ClientOptions {
  /** The router's URL with its query. */
  readonly url: string;
  readonly token: string | undefined;
  readonly counts: Counts;
  readonly random: () => number;
}

const CRITICAL = Buffer.from('{"type":"critical"');
const STATE = Buffer.from('{"type":"state"');
const COSMETIC = Buffer.from('{"type":"cosmetic"');
const SNAPSHOT = Buffer.from('"snapshot":true');
/** A snapshot's mark is within these bytes, after type and channel. */
const HEAD_BYTES = 200;
const SETTLE_MS = 30_000;
const RESTART_SPREAD_MS = 5_000;
const BASE_MS = 2_000;
const LONGEST_MS = 30_000;

/** An open stream, and what is known of it. */
interface Stream {
  readonly socket: WebSocket;
  /** Set by the welcome. */
  pool: string | undefined;
  /** Another stream has replaced it. */
  isReplaced: boolean;
}

export class LoadClient {
  readonly #o: ClientOptions;
  readonly #lastIds = new Map<string, number>();
  readonly #sequences = new Sequences();
  #stream: Stream | undefined;
  #position: string | undefined;
  #failures = 0;
  #hasArrived = false;
  #ended = false;
  #isMoving = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: ClientOptions) {
    this.#o = options;
  }

  start(): void {
    this.#visit(this.#o.url);
  }

  /** Closes without a retry. */
  end(): void {
    this.#ended = true;
    clearTimeout(this.#timer);
    this.#stream?.socket.close(1000);
    this.#stream = undefined;
  }

  /** Visits the router. */
  #visit(url: string): void {
    const startMs = performance.now();
    const { token, counts } = this.#o;
    const protocols = [
      subprotocol.version,
      ...(token === undefined ? [] : [subprotocol.tokenPrefix + token]),
    ];
    const socket = new WebSocket(url, protocols, { handshakeTimeout: SETTLE_MS, perMessageDeflate: false });
    let next: string | undefined;
    const reason = reasonOf(socket);
    socket.on('message', (data: Buffer) => {
      const message = parsed(data);
      if (message['type'] === 'redirect') next = String(message['url']);
    });
    socket.on('close', (code, why) => {
      if (this.#ended) return;
      if (next === undefined) {
        counts.fail(reason(code, why));
        this.#isMoving = false;
        if (this.#stream === undefined) this.#retry(code);
        return;
      }
      counts.redirectMs.add(performance.now() - startMs);
      this.#open(
        this.#position === undefined ? next : `${next}&resume=${encodeURIComponent(this.#position)}`,
      );
    });
  }

  #open(url: string): void {
    const { counts } = this.#o;
    const socket = new WebSocket(url, [subprotocol.version], {
      handshakeTimeout: SETTLE_MS,
      // One process would have to inflate for thousands of clients; reported sizes are uncompressed.
      perMessageDeflate: false,
    });
    const stream: Stream = { socket, pool: undefined, isReplaced: false };
    const reason = reasonOf(socket);
    socket.on('message', (data: Buffer) => this.#take(stream, data));
    socket.on('close', (code, why) => {
      if (stream.isReplaced) return; // closed by this client
      if (stream.pool !== undefined) counts.leave(stream.pool);
      else if (!this.#ended) counts.fail(reason(code, why));
      const isCurrent = this.#stream === stream;
      if (isCurrent) this.#stream = undefined;
      if (this.#ended) return;
      if (isCurrent) counts.closed(code);
      this.#isMoving = false;
      if (this.#stream === undefined) this.#retry(code);
    });
  }

  #take(stream: Stream, data: Buffer): void {
    const { counts } = this.#o;
    counts.frames++;
    counts.bytes += data.length;
    const isState = begins(data, STATE);
    if (isState || begins(data, COSMETIC)) {
      if (isState && data.subarray(0, HEAD_BYTES).includes(SNAPSHOT)) return; // its values may be old
      counts.updates++;
      this.#age(data);
      return;
    }
    const message = parsed(data);
    if (begins(data, CRITICAL)) this.#critical(message, data);
    else this.#control(stream, message);
  }

  #age(data: Buffer): void {
    const nowMs = Date.now();
    eachStamp(data, (wallMs) => this.#o.counts.addAge(nowMs - wallMs));
  }

  #critical(message: Readonly<Record<string, unknown>>, data: Buffer): void {
    const { counts } = this.#o;
    const channel = String(message['channel']);
    const id = Number(message['id']);
    if (id <= (this.#lastIds.get(channel) ?? 0)) return; // a resume may repeat it
    this.#lastIds.set(channel, id);
    counts.updates++;
    counts.critical++;
    const place = placeOf(message['data']);
    if (place === undefined) return;
    const missing = this.#sequences.next(channel, place);
    if (missing === 'again') counts.doubled++;
    else {
      counts.lost += missing;
      this.#age(data);
    }
  }

  #control(stream: Stream, message: Readonly<Record<string, unknown>>): void {
    const { counts } = this.#o;
    switch (message['type']) {
      case 'welcome':
        this.#welcome(stream, String(message['pool']));
        return;
      case 'position':
        this.#position = String(message['pos']);
        return;
      case 'gap': {
        counts.gaps++;
        const channel = String(message['channel']);
        this.#sequences.forget(channel); // a gap announced the loss
        if (message['reset'] === true) this.#lastIds.delete(channel);
        return;
      }
      case 'move':
        if (stream !== this.#stream || this.#isMoving) return;
        this.#isMoving = true;
        this.#visit(String(message['url']));
    }
  }

  #welcome(stream: Stream, pool: string): void {
    const { counts } = this.#o;
    stream.pool = pool;
    counts.enter(pool);
    if (!this.#hasArrived) counts.arrived++;
    this.#hasArrived = true;
    this.#failures = 0;
    const old = this.#stream;
    this.#stream = stream;
    this.#isMoving = false;
    if (this.#ended) stream.socket.close(1000);
    if (old === undefined) return;
    counts.moves++;
    old.isReplaced = true;
    if (old.pool !== undefined) counts.leave(old.pool); // so that a client counts once
    old.socket.removeAllListeners('message');
    old.socket.close(closeCodes.moved.code);
  }

  #retry(code: number): void {
    const after = afterClose(code);
    if (after === 'stop') return;
    const spreadMs =
      after === 'wait'
        ? RESTART_SPREAD_MS
        : after === 'router' && this.#failures === 0
          ? 0
          : Math.min(LONGEST_MS, BASE_MS * 2 ** this.#failures);
    this.#failures++;
    this.#timer = setTimeout(() => this.#visit(this.#o.url), this.#o.random() * spreadMs);
  }
}

/** Listens for errors of a socket; tells why it closed, for which `error` knows more than the code. */
function reasonOf(socket: WebSocket): (code: number, why: Buffer) => string {
  let message: string | undefined;
  socket.on('error', (error) => {
    // A name with several addresses fails with an AggregateError that has a code and no message.
    message = error.message || ('code' in error ? String(error.code) : error.name);
  });
  return (code, why) => message ?? `closed with ${code}${words(why)}`;
}

/** The reason of a close, fit for a line of a terminal. */
function words(why: Buffer): string {
  const text = why
    .toString('utf8')
    .replace(/\p{C}+/gu, ' ')
    .trim();
  return text === '' ? '' : `: ${text}`;
}

function begins(data: Buffer, head: Buffer): boolean {
  return data.length >= head.length && data.compare(head, 0, head.length, 0, head.length) === 0;
}

function parsed(data: Buffer): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(data.toString('utf8'));
    return typeof value === 'object' && value !== null ? { ...value } : {};
  } catch {
    return {};
  }
}

// A TCP proxy that behaves like a slow network: rate, delay, jitter and a bounded buffer in each direction, and faults
// on command. It acknowledges data for the client, so it hides slow start and loss: test/harness/netlab has those.

import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

export interface Shape {
  /** kbit/s; unlimited if absent. */
  readonly kbps?: number;
  /** One way. */
  readonly delayMs?: number;
  /** Upper limit of an additional random delay, without reordering. */
  readonly jitterMs?: number;
  /** Bytes that may wait or be under way before the proxy stops reading from the sender. */
  readonly bufferBytes?: number;
}

export interface Profile {
  /** Target to client. */
  readonly down: Shape;
  readonly up: Shape;
}

export type ProfileName = 'fibre' | 'cable' | 'lte' | '3g' | '2g' | 'hotel' | 'satellite';

const symmetric = (shape: Shape): Profile => ({ down: shape, up: shape });

/** Rates and delays of the links in docs/probe.md. */
export const profiles: Readonly<Record<ProfileName, Profile>> = {
  fibre: {
    down: { kbps: 200_000, delayMs: 4, bufferBytes: 500_000 },
    up: { kbps: 100_000, delayMs: 4, bufferBytes: 500_000 },
  },
  cable: {
    down: { kbps: 50_000, delayMs: 9, jitterMs: 1, bufferBytes: 250_000 },
    up: { kbps: 10_000, delayMs: 9, jitterMs: 1, bufferBytes: 100_000 },
  },
  lte: symmetric({ kbps: 12_000, delayMs: 35, jitterMs: 8, bufferBytes: 500_000 }),
  '3g': {
    down: { kbps: 1600, delayMs: 150, jitterMs: 15, bufferBytes: 200_000 },
    up: { kbps: 768, delayMs: 150, jitterMs: 15, bufferBytes: 100_000 },
  },
  '2g': symmetric({ kbps: 35, delayMs: 650, jitterMs: 50, bufferBytes: 32_000 }),
  /** 10 KB/s. */
  hotel: {
    down: { kbps: 80, delayMs: 40, jitterMs: 20, bufferBytes: 64_000 },
    up: { kbps: 80, delayMs: 20, jitterMs: 20, bufferBytes: 64_000 },
  },
  satellite: {
    down: { kbps: 20_000, delayMs: 310, jitterMs: 5, bufferBytes: 1_000_000 },
    up: { kbps: 3000, delayMs: 310, jitterMs: 5, bufferBytes: 300_000 },
  },
};

export interface ShapingProxyOptions {
  readonly target: { readonly host: string; readonly port: number };
  /** A name, or shapes; a direction without a shape passes unshaped. */
  readonly profile?: ProfileName | Partial<Profile>;
  /**
   * Gets the bytes from the target before they are shaped, and may change them; `chunk` counts from 0 on each
   * connection. For tests of proxies that corrupt data.
   */
  readonly tamper?: (bytes: Buffer, chunk: number) => Buffer;
}

export interface ProxyStats {
  /** Open now. */
  readonly open: number;
  readonly accepted: number;
  /** Delivered so far. */
  readonly bytesDown: number;
  readonly bytesUp: number;
  /** Read but not yet delivered. */
  readonly queuedDown: number;
  readonly queuedUp: number;
}

export interface ShapingProxy {
  readonly port: number;
  /** The same URL through the proxy: `url('ws://127.0.0.1:8080/v1/connect?channels=lobby')`. */
  url(base: string): string;
  /** Delivers nothing in either direction and tells neither end; new connections are accepted and equally silent. */
  pause(): void;
  resume(): void;
  /** Ends all connections on both sides: by RST, or by FIN if `how` is 'end'. Queued bytes are lost either way. */
  cut(how?: 'reset' | 'end'): void;
  /** Changes the shapes from now on, also of open connections. */
  change(profile: ProfileName | Partial<Profile>): void;
  stats(): ProxyStats;
  close(): Promise<void>;
}

export async function startShapingProxy(options: ShapingProxyOptions): Promise<ShapingProxy> {
  const proxy = new RunningProxy(options);
  await proxy.listen();
  return proxy;
}

const DEFAULT_BUFFER_BYTES = 256_000;
/** Pieces are at least a packet, or the bytes of one timer tick, so that fast links need no thousands of timers. */
const MIN_PIECE_BYTES = 1448;
const PIECE_MS = 2;

class RunningProxy implements ShapingProxy {
  readonly #options: ShapingProxyOptions;
  readonly #server: Server;
  readonly #pairs = new Set<Pair>();
  readonly #gone = { down: 0, up: 0 };
  #accepted = 0;
  #profile: Profile;
  #paused = false;

  constructor(options: ShapingProxyOptions) {
    this.#options = options;
    this.#profile = shapesOf(options.profile ?? {});
    // Half-open like a network: each side's FIN reaches the other after the bytes before it.
    this.#server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => this.#accept(client));
  }

  async listen(): Promise<void> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
  }

  get port(): number {
    const address: AddressInfo | string | null = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('the proxy is closed');
    return address.port;
  }

  url(base: string): string {
    const url = new URL(base);
    url.hostname = '127.0.0.1';
    url.port = String(this.port);
    return url.href;
  }

  #accept(client: Socket): void {
    this.#accepted += 1;
    const { host, port } = this.#options.target;
    const target = connect({ host, port, allowHalfOpen: true, noDelay: true });
    const pair: Pair = {
      client,
      target,
      down: new Direction(target, client, this.#profile.down, this.#options.tamper),
      up: new Direction(client, target, this.#profile.up),
    };
    this.#pairs.add(pair);
    if (this.#paused) setPaused(pair, true);
    const over = (): void => {
      this.#pairs.delete(pair);
      this.#gone.down += pair.down.delivered;
      this.#gone.up += pair.up.delivered;
      for (const direction of [pair.down, pair.up]) direction.stop();
    };
    for (const side of [client, target]) {
      side.on('error', () => reset(pair));
      side.on('close', () => {
        if (client.closed && target.closed) over();
      });
    }
  }

  pause(): void {
    this.#paused = true;
    for (const pair of this.#pairs) setPaused(pair, true);
  }

  resume(): void {
    this.#paused = false;
    for (const pair of this.#pairs) setPaused(pair, false);
  }

  cut(how: 'reset' | 'end' = 'reset'): void {
    for (const pair of this.#pairs) {
      if (how === 'reset') reset(pair);
      else for (const side of [pair.client, pair.target]) side.end(() => side.destroySoon());
    }
  }

  change(profile: ProfileName | Partial<Profile>): void {
    this.#profile = shapesOf(profile);
    for (const { down, up } of this.#pairs) {
      down.shape = this.#profile.down;
      up.shape = this.#profile.up;
    }
  }

  stats(): ProxyStats {
    const pairs = [...this.#pairs];
    const sum = (of: (pair: Pair) => number): number => pairs.reduce((total, pair) => total + of(pair), 0);
    return {
      open: pairs.length,
      accepted: this.#accepted,
      bytesDown: this.#gone.down + sum(({ down }) => down.delivered),
      bytesUp: this.#gone.up + sum(({ up }) => up.delivered),
      queuedDown: sum(({ down }) => down.queued),
      queuedUp: sum(({ up }) => up.queued),
    };
  }

  async close(): Promise<void> {
    if (!this.#server.listening) return;
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.cut();
    await closed;
  }
}

interface Pair {
  readonly client: Socket;
  readonly target: Socket;
  readonly down: Direction;
  readonly up: Direction;
}

function shapesOf(profile: ProfileName | Partial<Profile>): Profile {
  return typeof profile === 'string' ? profiles[profile] : { down: profile.down ?? {}, up: profile.up ?? {} };
}

function setPaused(pair: Pair, paused: boolean): void {
  pair.down.paused = paused;
  pair.up.paused = paused;
}

function reset(pair: Pair): void {
  for (const side of [pair.client, pair.target]) side.resetAndDestroy();
}

interface Piece {
  readonly bytes: Buffer;
  /** Time of arrival. */
  readonly dueMs: number;
}

/** One direction: reads while there is room, holds each piece until it is due, and waits for a slow receiver. */
class Direction {
  shape: Shape;
  delivered = 0;
  queued = 0;
  readonly #from: Socket;
  readonly #to: Socket;
  readonly #tamper: ((bytes: Buffer, chunk: number) => Buffer) | undefined;
  readonly #pieces: Piece[] = [];
  #chunks = 0;
  #freeMs = 0;
  #lastDueMs = 0;
  #timer: NodeJS.Timeout | undefined;
  #ended = false;
  #blocked = false;
  #paused = false;

  constructor(from: Socket, to: Socket, shape: Shape, tamper?: (bytes: Buffer, chunk: number) => Buffer) {
    this.#from = from;
    this.#to = to;
    this.shape = shape;
    this.#tamper = tamper;
    from.on('data', (bytes: Buffer) => this.#take(bytes));
    from.on('end', () => {
      this.#ended = true;
      this.#deliver();
    });
    to.on('drain', () => {
      this.#blocked = false;
      this.#deliver();
    });
  }

  set paused(paused: boolean) {
    this.#paused = paused;
    if (!paused) this.#deliver();
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#pieces.length = 0;
    this.queued = 0;
  }

  #take(chunk: Buffer): void {
    const bytes = this.#tamper?.(chunk, this.#chunks++) ?? chunk;
    const { kbps = Number.POSITIVE_INFINITY, delayMs = 0, jitterMs = 0, bufferBytes } = this.shape;
    const pieceBytes = Math.max(MIN_PIECE_BYTES, Math.min(65_536, (kbps * PIECE_MS) / 8));
    for (let at = 0; at < bytes.length; at += pieceBytes) {
      const piece = bytes.subarray(at, at + pieceBytes);
      const leftMs = Math.max(this.#freeMs, performance.now()) + (piece.length * 8) / kbps;
      const dueMs = Math.max(this.#lastDueMs, leftMs + delayMs + Math.random() * jitterMs);
      this.#pieces.push({ bytes: piece, dueMs });
      this.#freeMs = leftMs;
      this.#lastDueMs = dueMs;
      this.queued += piece.length;
    }
    if (this.queued > (bufferBytes ?? DEFAULT_BUFFER_BYTES)) this.#from.pause();
    this.#deliver();
  }

  #deliver(): void {
    clearTimeout(this.#timer);
    if (this.#to.destroyed) {
      this.stop();
      return;
    }
    if (this.#paused || this.#blocked) return;
    const nowMs = performance.now();
    for (let next = this.#pieces[0]; next !== undefined && next.dueMs <= nowMs; next = this.#pieces[0]) {
      this.#pieces.shift();
      this.queued -= next.bytes.length;
      this.delivered += next.bytes.length;
      if (!this.#to.write(next.bytes)) {
        this.#blocked = true;
        break;
      }
    }
    if (this.queued <= (this.shape.bufferBytes ?? DEFAULT_BUFFER_BYTES)) this.#from.resume();
    const [next] = this.#pieces;
    if (next !== undefined) {
      this.#timer = setTimeout(() => this.#deliver(), Math.max(0, next.dueMs - nowMs));
    } else if (this.#ended) {
      this.#to.end();
    }
  }
}

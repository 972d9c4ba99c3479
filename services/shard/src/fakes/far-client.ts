// For tests: a real fan-out and one client behind a simulated link of a rate, a round trip and an endless queue, with a
// clock that jumps from event to event. The main thread is a model that has `stateBytes` of state to send.
import { Duplex } from 'node:stream';
import type { FrameGate } from '@weir/runtime';
import type { WebSocket } from 'ws';
import { Connection } from '../fan-out-thread/connection/connection.ts';
import type { FlowLimits } from '../fan-out-thread/connection/policy.ts';
import { FanOut } from '../fan-out-thread/fan-out/fan-out.ts';
import type { CatchUpRequest } from '../port/catch-up.ts';
import { COUNT_PLACES, GAUGE_PLACES, HISTOGRAM_PLACES } from '../port/counts.ts';
import { FramesTable, packFrames } from '../port/frames-table.ts';

export interface FarLink {
  readonly bytesPerMs: number;
  readonly rttMs: number;
}

/** What the shard needs to answer an ask: the way to the main thread and back. */
const ASK_MS = 3;
const HEADS = { stateEpoch: 's', stateSeq: 1, criticalEpoch: 'c', criticalSeq: 0, stateMs: 0, criticalMs: 0 };
const PING_BYTES = 14;
const PING_HEAD_BYTES = 2;
const CRITICAL_BYTES = 200;
const CRITICAL = 'c'.charCodeAt(0);

class FarSocket extends Duplex {
  onChunk: (chunk: Buffer) => void = () => undefined;

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: string, callback: () => void): void {
    this.onChunk(chunk);
    callback();
  }
}

export class FarClient {
  nowMs = 1_000;
  link: FarLink;
  /** Bytes of state that the client lacks. */
  stateBytes: number;
  /** When it became live, and when the last byte of that arrived. */
  wholeMs: number | undefined;
  /** Largest number of bytes that waited for the link. */
  mostQueuedBytes = 0;
  /** Time from the publishing of each critical message to its arrival. */
  readonly agesMs: number[] = [];
  readonly evicted: string[] = [];
  readonly connection: Connection;
  readonly #fanOut: FanOut;
  readonly #events: { readonly atMs: number; readonly run: () => void }[] = [];
  readonly #published: { readonly atMs: number; readonly bytes: number }[] = [];
  #toldCriticals = 0;
  #freeMs = 0;
  #channel = 0;
  #batch = 0;

  constructor(link: FarLink, flow: FlowLimits, stateBytes: number) {
    this.link = link;
    this.stateBytes = stateBytes;
    const socket = new FarSocket();
    this.connection = new Connection({
      session: 's',
      socket,
      ws: {} as WebSocket,
      gate: {} as FrameGate,
      compressed: false,
      ticket: { id: 't', pool: 'p', channels: ['a'], allow: ['>'], denied: [], tls: false },
      starts: [{ channel: 'a', stateSeq: 0, snapshot: true, criticalSeq: 0, gap: undefined }],
      nowMs: this.nowMs,
    });
    socket.onChunk = (chunk) => this.#send(chunk);
    this.#fanOut = new FanOut({
      flow,
      ping: { pingMs: 1_000, pingBytes: 65_536, idlePingMs: 15_000 },
      positionMs: 1_000,
      idlePositionMs: 10_000,
      beatMs: 15_000,
      sliceMs: () => 8,
      looksAfter: 32,
      tickMs: 1_000,
      heads: HEADS,
      deflate: (run) => run,
      numbers: {
        fanOut: new Float64Array(COUNT_PLACES),
        gauges: new Float64Array(GAUGE_PLACES),
        histograms: new Float64Array(HISTOGRAM_PLACES),
      },
      nowMs: () => this.nowMs,
      later: (run) => this.after(0, run),
      ask: (id, request) => this.after(ASK_MS, () => this.#answer(id, request)),
      want: ({ id }) => {
        this.#channel = id;
      },
      done: () => undefined,
      onEvict: (connection, reason) => {
        connection.delivery.close();
        this.evicted.push(reason);
      },
    });
  }

  start(): void {
    this.#fanOut.add(this.connection);
    this.#sweep();
  }

  /** Events until the client is whole. */
  runUntilWhole(mostMs: number): void {
    const endMs = this.nowMs + mostMs;
    while (this.wholeMs === undefined && this.nowMs < endMs && this.evicted.length === 0) this.run(100);
  }

  /** Runs events for this time. */
  run(mostMs: number): void {
    const endMs = this.nowMs + mostMs;
    while (this.evicted.length === 0) {
      const next = this.#events[0];
      if (next === undefined || next.atMs > endMs) break;
      this.#events.shift();
      this.nowMs = Math.max(this.nowMs, next.atMs);
      next.run();
    }
    this.nowMs = Math.max(this.nowMs, endMs);
  }

  after(ms: number, run: () => void): void {
    const atMs = this.nowMs + ms;
    let at = this.#events.length;
    while (at > 0 && (this.#events[at - 1]?.atMs ?? 0) > atMs) at--;
    this.#events.splice(at, 0, { atMs, run });
  }

  /** A critical message is handed over. */
  critical(bytes = CRITICAL_BYTES): void {
    this.#published.push({ atMs: this.nowMs, bytes });
    const critical = Buffer.alloc(bytes, 'c');
    const empty = Buffer.alloc(0);
    const rows = [
      { id: this.#channel, plain: { critical, state: empty, cosmetic: empty }, compressed: undefined },
    ];
    const fromCriticalSeq = this.#published.length - 1;
    this.#fanOut.take({
      number: ++this.#batch,
      fromStateSeq: 1,
      fromCriticalSeq,
      stateSeq: 1,
      criticalSeq: fromCriticalSeq + 1,
      stateMs: 0,
      criticalMs: 0,
      frames: new FramesTable(packFrames(rows), 1),
    });
  }

  /** Critical messages that wait first, then state, as `catchUp` has it. */
  #answer(id: number, request: CatchUpRequest): void {
    let criticalBytes = 0;
    let at = this.#toldCriticals;
    if (!request.criticalLive)
      for (; at < this.#published.length && criticalBytes < request.maxBytes; at++)
        criticalBytes += this.#published[at]?.bytes ?? 0;
    const criticalLive = request.criticalLive || at === this.#published.length;
    const piece = Math.min(this.stateBytes, Math.max(0, request.maxBytes - criticalBytes));
    this.stateBytes -= piece;
    const live = criticalLive && this.stateBytes === 0;
    const bytes = Buffer.concat([Buffer.alloc(criticalBytes, 'c'), Buffer.alloc(piece, 's')]);
    this.#fanOut.caughtUp(id, { bytes, cursors: live ? [] : request.cursors, criticalLive, live });
    if (live) this.wholeMs ??= this.#freeMs + this.link.rttMs / 2;
  }

  #send(chunk: Buffer): void {
    const { bytesPerMs, rttMs } = this.link;
    this.#freeMs = Math.max(this.#freeMs, this.nowMs) + chunk.length / bytesPerMs;
    const arrivesMs = this.#freeMs + rttMs / 2;
    this.mostQueuedBytes = Math.max(this.mostQueuedBytes, (this.#freeMs - this.nowMs) * bytesPerMs);
    const ping = chunk.subarray(-PING_BYTES);
    if (ping[0] === 0x89 && ping.length === PING_BYTES) {
      const payload = ping.subarray(PING_HEAD_BYTES);
      this.after(arrivesMs + rttMs / 2 - this.nowMs, () => this.#fanOut.pong(this.connection, payload));
    }
    const rest = chunk.findIndex((byte) => byte !== CRITICAL);
    let bytes = rest < 0 ? chunk.length : rest;
    for (; bytes > 0; this.#toldCriticals++) {
      const told = this.#published[this.#toldCriticals];
      if (told === undefined) throw new Error('it is told what was not published');
      bytes -= told.bytes;
      this.agesMs.push(arrivesMs - told.atMs);
    }
  }

  #sweep(): void {
    this.after(250, () => {
      this.#fanOut.sweep();
      this.#sweep();
    });
  }
}

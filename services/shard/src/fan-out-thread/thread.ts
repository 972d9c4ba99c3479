// A fan-out thread: it owns the sockets of its clients, from the doorway to the close, and writes to them what the main
// thread hands over. Read it second, after shard.ts; it only connects stages.
import { randomBytes } from 'node:crypto';
import type { Server } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ControlMessage, Hint } from '@weir/protocol';
import { controlText, issueHint, utf8Frame, verifyTicket } from '@weir/protocol';
import type { Clock, ConnectionFault } from '@weir/runtime';
import {
  CONNECTION_FAULTS,
  createUpgradeServer,
  ENDINGS,
  Places,
  respondAndClose,
  timesWithin,
  watchEnding,
} from '@weir/runtime';
import type { ShardConfig } from '../config.ts';
import { poolDefaults } from '../config.ts';
import { add, count, gauge } from '../port/counts.ts';
import { Deflater } from '../port/deflate.ts';
import { duplicateSocket } from '../port/duplicate.ts';
import { FramesTable } from '../port/frames-table.ts';
import type { Arrived, DrainPace, FromThread, HandOver, Reply, ToThread } from '../port/messages.ts';
import { ADMIT_OUTCOMES, CLOSE_CAUSES, MOVE_REASONS } from '../port/outcomes.ts';
import { SharedFlags } from '../port/shared-flags.ts';
import type { ThreadCounts } from '../port/thread-counts.ts';
import { countsIn } from '../port/thread-counts.ts';
import type { ThreadStart } from '../port/thread-start.ts';
import type { Arrival, Arriving } from './admit/admission.ts';
import { Admission } from './admit/admission.ts';
import { Claims } from './claims/claims.ts';
import { Connection } from './connection/connection.ts';
import { Ends } from './connection/ends.ts';
import { Expiries } from './connection/expiries.ts';
import { firstWords } from './connection/first-words.ts';
import { hear } from './connection/hear.ts';
import { Deliveries } from './deliveries.ts';
import { FanOut } from './fan-out/fan-out.ts';
import { Doorway } from './listen/doorway.ts';
import { Moves } from './move/moves.ts';

const SWEEP_MS = 250;
/** Longest time until the headers of a request have come. */
const HEADERS_TIMEOUT_MS = 10_000;
/** Sockets beyond the connections and handshakes of a full shard: their clients are told that it is full. */
const REFUSED_SOCKETS = 256;
const SLICE_MS = 8;
/** While a client is being admitted: that takes several turns of the event loop, and each waits for a slice. */
const SHORT_SLICE_MS = 2;
/** Writes between two looks at the clock: well below a millisecond. */
const WRITES_A_LOOK = 32;
/** How long the URL of a move is good. */
const MOVE_URL_MS = 120_000;

export interface ThreadOptions extends ThreadStart {
  readonly clock: Clock;
  /** Milliseconds of the clock that all threads share. */
  readonly sharedMs: () => number;
  readonly random: () => number;
  readonly send: (messages: readonly FromThread[]) => void;
  /** The thread has ended, as it was asked to. */
  readonly onStopped: () => void;
}

export class FanOutThread {
  readonly #options: ThreadOptions;
  readonly #pool: ReturnType<typeof poolDefaults>;
  readonly #counts: ThreadCounts;
  readonly #flags: SharedFlags;
  readonly #fanOut: FanOut;
  readonly #deflater: Deflater;
  readonly #admission: Admission;
  readonly #server: Server;
  readonly #places: Places;
  readonly #doorway: Doorway;
  readonly #deliveries: Deliveries;
  readonly #moves: Moves;
  readonly #ends: Ends;
  readonly #expiries: Expiries;
  readonly #claims: Claims;
  readonly #arriving = new Map<number, (arrived: Arrived) => void>();
  readonly #sweeps: NodeJS.Timeout;
  #lastArrival = 0;
  /** Handshakes that are under way. */
  #pending = 0;
  #accepts = false;
  #outbox: FromThread[] = [];

  constructor(options: ThreadOptions) {
    this.#options = options;
    const { config, index, clock } = options;
    const nowMs = (): number => clock.monotonicMs();
    this.#pool = poolDefaults(config);
    this.#counts = countsIn(options.counts);
    this.#flags = new SharedFlags(options.flags);
    this.#deflater = new Deflater({ minBytes: config.compressionMinBytes });
    this.#fanOut = new FanOut({
      deflate: (run) => this.#deflated(run),
      flow: this.#pool,
      ping: config,
      positionMs: config.positionMs,
      idlePositionMs: config.idlePositionMs,
      beatMs: config.beatMs,
      sliceMs: () => (this.#pending > 0 ? SHORT_SLICE_MS : SLICE_MS),
      looksAfter: WRITES_A_LOOK,
      tickMs: this.#pool.tickMs,
      heads: options.heads,
      numbers: this.#counts,
      nowMs,
      later: setImmediate,
      ask: (id, request) => this.#send({ type: 'catchUp', id, request }),
      want: (want) => this.#send({ type: 'want', ...want }),
      done: (number) => this.#send({ type: 'done', number }),
      onEvict: (connection, reason) => this.#ends.close(connection, reason),
    });
    this.#moves = new Moves({
      config,
      clock,
      random: options.random,
      signHint: (hint) => signHint(hint, config, clock.wallMs()),
      sleep,
      draining: () => this.#flags.draining,
      connections: () => this.#fanOut.connections(),
      channelsOf: (connection) => this.#fanOut.channelsOf(connection),
      say: (connection, messages) => this.#say(connection, messages),
      close: (connection) => this.#ends.close(connection, 'drain'),
      count: (reason) => add(this.#counts.moves, MOVE_REASONS.indexOf(reason), 1),
    });
    this.#deliveries = new Deliveries({
      config,
      clock,
      counts: this.#counts,
      flags: this.#flags,
      fanOut: this.#fanOut,
      remeasure: (connection, reason) => this.#run(this.#moves.remeasure(connection, reason)),
      looked: (look) => this.#send({ type: 'looked', look }),
    });
    this.#ends = new Ends({
      faultCloseMs: config.faultCloseMs,
      count: (cause) => add(this.#counts.closes, CLOSE_CAUSES.indexOf(cause), 1),
      ended: (how) => add(this.#counts.endings, ENDINGS.indexOf(how), 1),
      closing: (by) => add(this.#counts.gauges, gauge.closing, by),
      onGone: (connection) => {
        this.#flags.leaveSeat(index);
        this.#fanOut.remove(connection);
        this.#expiries.remove(connection);
        this.#claims.left(connection);
      },
    });
    this.#expiries = new Expiries((connection) => this.#ends.close(connection, 'tokenExpired'), nowMs());
    this.#claims = new Claims({
      doubt: () => this.#send({ type: 'doubt' }),
      restart: (connection, restart) => this.#fanOut.restart(connection, restart),
    });
    this.#admission = new Admission({
      compression: this.#pool.compression,
      closingBytes: config.closingBytes,
      lastMax: config.criticalLastMax,
      verify: (ticket) =>
        verifyTicket(ticket, {
          keys: config.ticketKeys,
          nowMs: clock.wallMs(),
          pool: config.pool,
          shard: config.shardId,
          incarnation: options.incarnation,
        }),
      begin: () => {
        const may = this.#flags.takePending(index, config.maxPending);
        if (may) this.#pending++;
        return may;
      },
      end: () => {
        this.#pending--;
        this.#flags.leavePending(index);
      },
      takeSeat: () => this.#takeSeat(),
      leaveSeat: () => this.#flags.leaveSeat(index),
      arrive: (arriving) => this.#arrive(arriving),
      close: ({ ws, socket, gate, code, reason }) => {
        ws.close(code.code, reason);
        void watchEnding({ duplex: socket, gate, inTime: 'answered', ...timesWithin(config.faultCloseMs) });
      },
      admit: (arrival) => this.#admit(arrival),
      count: (outcome) => add(this.#counts.admissions, ADMIT_OUTCOMES.indexOf(outcome), 1),
    });
    this.#server = this.#createServer();
    this.#places = new Places(this.#server, {
      max: Number.POSITIVE_INFINITY,
      onCut: () => this.#countFault('tooMany'),
    });
    this.#doorway = new Doorway({
      index,
      sockets: options.sockets,
      open: options.doorways,
      maxSockets: Math.min(config.capacity + config.maxPending + REFUSED_SOCKETS, options.roomForClients),
      makeRoom: () => this.#places.makeRoom(),
      onTooMany: () => this.#countFault('tooMany'),
      onAcceptFailed: () => this.#countFault('acceptFailed'),
      onSocket: (socket) => this.#server.emit('connection', socket),
      duplicate: duplicateSocket,
      onFailed: (error) => {
        throw error;
      },
    });
    this.#sweeps = setInterval(() => {
      this.#fanOut.sweep();
      this.#expiries.look(nowMs());
    }, SWEEP_MS);
  }

  /** Takes a message of the main thread. */
  receive(message: ToThread): void {
    switch (message.type) {
      case 'handOver':
        return this.#handOver(message);
      case 'replies':
        for (const reply of message.replies) this.#reply(reply);
        return;
      case 'reset':
        if (message.lane === 'state') this.#fanOut.resetState(message.heads);
        else this.#fanOut.resetCritical(message.heads, message.afterSeq, message.sinceSeq);
        return;
      case 'open':
        return this.#run(this.#open(message));
      case 'join':
        return this.#run(this.#join(message.fd));
      case 'drain':
        return this.#run(this.#drain(message));
      case 'pace':
        return this.#moves.pace(message.movesPerSecond);
      case 'shed':
        return this.#send({ type: 'shedding', id: message.id, accepted: this.#moves.shed(message) });
      case 'judge':
        return this.#claims.judge(message.heads);
      case 'stop':
        return this.#stop();
    }
  }

  #createServer(): Server {
    const server = createUpgradeServer({
      headersTimeoutMs: HEADERS_TIMEOUT_MS,
      onPlain: (request, response) => {
        const { status, text } = this.#admission.answer(request);
        respondAndClose(response, { status, headers: { 'Content-Type': 'text/plain' }, body: `${text}\n` });
      },
      onUpgrade: (request, socket, head) => this.#admission.upgrade(request, socket, head),
      onFault: (fault) => this.#countFault(fault),
    });
    // The server gets its sockets from the doorway. The event starts Node's timeouts for requests that never end.
    server.emit('listening');
    return server;
  }

  #countFault(fault: ConnectionFault): void {
    add(this.#counts.faults, CONNECTION_FAULTS.indexOf(fault), 1);
  }

  /** A fault of this thread ends it; the main thread starts another. */
  #run(work: Promise<void>): void {
    work.catch((error: unknown) => {
      setImmediate(() => {
        throw error;
      });
    });
  }

  async #open({ host, port }: { readonly host: string; readonly port: number }): Promise<void> {
    const opened = await this.#doorway.open({ host, port }).catch((error: unknown) => ({ error }));
    if ('error' in opened) this.#send({ type: 'notOpened', error: opened.error });
    else this.#send({ type: 'opened', ...opened });
  }

  async #join(fd: number): Promise<void> {
    await this.#doorway.join(fd);
    this.#accepts = true;
  }

  /** Messages of one turn go together. */
  #send(message: FromThread): void {
    if (this.#outbox.length === 0) queueMicrotask(() => this.#options.send(this.#outbox.splice(0)));
    this.#outbox.push(message);
  }

  #deflated(run: Buffer): Buffer {
    const made = this.#deflater.run(run);
    const { inBytes, outBytes } = this.#deflater.counts;
    this.#counts.fanOut[count.deflateInBytes] = inBytes;
    this.#counts.fanOut[count.deflateOutBytes] = outBytes;
    return made;
  }

  #handOver(message: HandOver): void {
    const { clock, sharedMs } = this.#options;
    // A hand-over that waited for this thread was late, too; but not while the thread started, without clients.
    const lateMs = Math.max(message.lateMs, sharedMs() - message.sentMs);
    if (this.#accepts) this.#deliveries.tick(lateMs, clock.monotonicMs());
    this.#fanOut.take({ ...message, frames: new FramesTable(message.bytes, message.rows) });
  }

  #reply(reply: Reply): void {
    if (reply.kind === 'caughtUp') return this.#fanOut.caughtUp(reply.id, reply.answer);
    const arrived = this.#arriving.get(reply.id);
    this.#arriving.delete(reply.id);
    arrived?.(reply.arrived);
  }

  #takeSeat(): 'taken' | 'full' | 'draining' | 'notReady' {
    const { config, index } = this.#options;
    if (this.#flags.draining) return 'draining';
    if (!this.#flags.loaded) return 'notReady';
    return this.#flags.takeSeat(index, config.capacity) ? 'taken' : 'full';
  }

  #arrive({ ticket, expiresInMs, ...asked }: Arriving): Promise<Arrived> {
    return new Promise((resolve) => {
      const id = ++this.#lastArrival;
      this.#arriving.set(id, resolve);
      const { id: ticketId, channels, network } = ticket;
      this.#send({ type: 'arrive', id, arrival: { ticketId, expiresInMs, channels, network, ...asked } });
    });
  }

  #admit({ ticket, position, starts, ...by }: Arrival): void {
    const { config, clock } = this.#options;
    const session = randomBytes(12).toString('base64url');
    const nowMs = clock.monotonicMs();
    const connection = new Connection({ ...by, session, ticket, position, starts, nowMs });
    this.#deliveries.admitted(connection, nowMs);
    const expiresInMs = this.#expiries.add(connection, { nowMs, wallMs: clock.wallMs() });
    const of = { session, tickMs: this.#pool.tickMs, expiresInMs, ticket, position, starts };
    this.#say(connection, firstWords({ ...config, ...this.#fanOut.heads, ...of }));
    this.#listen(connection);
    this.#claims.arrived(connection, this.#fanOut.heads);
    this.#fanOut.add(connection);
  }

  #listen(connection: Connection): void {
    const { config, clock } = this.#options;
    this.#ends.watch(connection);
    hear(connection, {
      limits: { perSecond: config.clientMessagesPerSecond, burst: config.clientMessageBurst },
      lastMax: config.criticalLastMax,
      redraws: this.#pool,
      nowMs: () => clock.monotonicMs(),
      delayed: () => add(this.#counts.fanOut, count.subscriptionsDelayed, 1),
      view: () => ({ channels: this.#fanOut.channelsOf(connection), allow: connection.ticket.allow }),
      pong: (payload) => {
        const proves = this.#fanOut.pong(connection, payload);
        if (proves) this.#deliveries.delivered(connection);
        return proves;
      },
      subscribe: (channels, last) => this.#fanOut.subscribe(connection, channels, last),
      unsubscribe: (channels) => this.#fanOut.unsubscribe(connection, channels),
      say: (messages) => this.#say(connection, messages),
      close: (cause, reason) => this.#ends.close(connection, cause, reason),
      left: () => this.#ends.left(connection),
    });
  }

  #say(connection: Connection, messages: readonly ControlMessage[]): void {
    if (messages.length === 0) return;
    this.#fanOut.say(connection, Buffer.concat(messages.map((message) => utf8Frame(controlText(message)))));
  }

  async #drain(pace: DrainPace): Promise<void> {
    await this.#moves.drain(pace);
    this.#send({ type: 'drained' });
  }

  #stop(): void {
    clearInterval(this.#sweeps);
    this.#doorway.close();
    for (const connection of this.#fanOut.connections()) this.#ends.stop(connection);
    this.#server.closeAllConnections();
    this.#server.close();
    this.#options.onStopped();
  }
}

async function signHint(hint: Hint, { ticketKeys: [key] }: ShardConfig, nowMs: number): Promise<string> {
  if (key === undefined) throw new Error('there is no key to sign with');
  return issueHint(hint, { key, nowMs, ttlMs: MOVE_URL_MS });
}

// Feeds the lanes from NATS: two streams that are verified for ever, and the cosmetic subjects as they come.
// What a message means is decided in accept.ts; what becomes of it, by the callbacks.

import type { Lane, PayloadBounds, StreamDefinition, Subjects } from '@weir/protocol';
import { decodeCleanupMark } from '@weir/protocol';
import type { Logger, NatsConnection, NatsLink } from '@weir/runtime';
import { JetStreamDisabledError, logThrottle, StreamConflictError } from '@weir/runtime';
import type { LaneSink, Newness } from '../lanes/lane-sink.ts';
import type { Message } from '../lanes/message.ts';
import type { RejectReason } from './accept.ts';
import { accept } from './accept.ts';
import { guarded } from './guarded.ts';
import { NatsStream } from './nats-stream.ts';
import { Rejected } from './rejected.ts';
import type { StreamAccess } from './stream-access.ts';
import type { Held, StreamProblem } from './stream-reader.ts';
import { StreamReader } from './stream-reader.ts';

const RETRY_MS = 1_000;
const MAX_WAITING = 4_096;
const LOG_EVERY_MS = 1_000;

export interface IntakeOptions {
  readonly link: NatsLink;
  readonly logger: Logger;
  readonly subjects: Subjects;
  readonly bounds: PayloadBounds;
  readonly verifyMs: number;
  readonly nowMs: () => number;
  readonly streams: { readonly state: StreamDefinition; readonly critical: StreamDefinition };
  readonly ensure: (connection: NatsConnection, definition: StreamDefinition) => Promise<void>;
  readonly state: LaneSink;
  readonly critical: LaneSink;
  readonly cosmetic: (channel: string, value: string) => void;
  readonly onAccepted: (lane: Lane) => void;
  readonly onRejected: (lane: Lane | undefined, reason: RejectReason) => void;
  readonly onProblem: (stream: 'state' | 'critical', problem: StreamProblem) => void;
  /** What is served is, as far as is known, all that there is: after a load, and after a connection was lost. */
  readonly onCurrent?: () => void;
  /** Both streams have been read for the first time. */
  readonly onLoaded?: () => void;
}

/** Opens a stream; tests bring their own. */
export type OpenStream = (options: ConstructorParameters<typeof NatsStream>[0]) => StreamAccess;

export class Intake {
  readonly #options: IntakeOptions;
  readonly #open: OpenStream;
  readonly #rejected: Rejected;
  readonly #sayFault: ReturnType<typeof logThrottle>;
  readonly #sayProblem: Readonly<Record<'state' | 'critical', ReturnType<typeof logThrottle>>>;
  readonly #readers: StreamReader[] = [];
  #stateAccess: StreamAccess | undefined;
  #loaded = 0;

  constructor(options: IntakeOptions, open: OpenStream = (of) => new NatsStream(of)) {
    this.#options = options;
    this.#open = open;
    this.#rejected = new Rejected(options.link, options.logger, options.subjects.rejected, options.nowMs);
    // One gate a line: a flood of bad messages must not hide what is wrong with a stream.
    this.#sayFault = logThrottle(LOG_EVERY_MS);
    this.#sayProblem = { state: logThrottle(LOG_EVERY_MS), critical: logThrottle(LOG_EVERY_MS) };
    options.link.onStatus((status) => {
      for (const reader of this.#readers) {
        if (status === 'disconnected') reader.lost();
        else reader.back();
      }
    });
    options.link.ready().then(
      (connection) => this.#start(connection),
      // Closed before it was ever connected: the process is ending.
      () => undefined,
    );
  }

  /** Whether both streams have been read once. */
  get loaded(): boolean {
    return this.#loaded >= 2;
  }

  /** Whether what is served may be behind what was published. */
  get stale(): boolean {
    return !this.loaded || !this.#options.link.connected || this.#readers.some((reader) => !reader.current);
  }

  /** The newest sequence of the state stream at this moment; nothing where NATS cannot say. */
  async newestState(): Promise<number | undefined> {
    if (this.stale) return undefined;
    return this.#stateAccess?.facts().then(
      (facts) => facts?.lastSeq,
      () => undefined,
    );
  }

  /** Look at the streams now. */
  poke(): void {
    for (const reader of this.#readers) reader.poke();
  }

  stop(): void {
    for (const reader of this.#readers) reader.stop();
  }

  #start(connection: NatsConnection): void {
    const { subjects } = this.#options;
    this.#read('state', connection);
    this.#read('critical', connection);
    connection.subscribe(subjects.all('cosmetic'), {
      callback: guarded(
        (message) => this.#cosmetic(message),
        (fault) => this.#fault('cosmetic', fault),
      ),
    });
  }

  /** Something of ours or of the server's is wrong with one message or a subscription; everything else goes on. */
  #fault(lane: Lane, fault: unknown): void {
    this.#options.onRejected(lane, 'internal');
    this.#sayFault((suppressed) => {
      this.#options.logger.error({ lane, err: fault, suppressed }, 'message could not be handled');
    });
  }

  #read(name: 'state' | 'critical', connection: NatsConnection): void {
    const { streams, ensure, subjects, logger, onProblem, verifyMs } = this.#options;
    const definition = streams[name];
    const sink = this.#options[name];
    let first = true;
    const access = this.#open({
      connection,
      definition,
      ensure: () => ensure(connection, definition),
      fromLive: subjects.fromLive,
      onFault: (fault) => {
        this.#fault(name, fault);
        // It is missing now; the stream has it.
        reader.poke();
      },
    });
    if (name === 'state') this.#stateAccess = access;
    const reader = new StreamReader({
      access,
      lane: sink,
      take: (message) => this.#take(name, message),
      ...heldIn(sink, subjects, (message) => 'reject' in accept(message, subjects, this.#options.bounds)),
      onLoaded: (seq) => {
        const isFirst = first;
        if (first) this.#loaded++;
        first = false;
        logger.info({ stream: definition.name, seq }, 'stream loaded');
        if (isFirst && this.loaded) this.#options.onLoaded?.();
      },
      onCurrent: () => {
        if (!this.stale) this.#options.onCurrent?.();
      },
      verifyMs,
      retryMs: RETRY_MS,
      maxWaiting: MAX_WAITING,
      onProblem: (problem, detail) => {
        onProblem(name, problem);
        const about = detail instanceof Error ? { err: detail } : { detail };
        const level = needsSomebody(detail) ? 'error' : 'warn';
        this.#sayProblem[name]((suppressed) =>
          logger[level]({ stream: definition.name, problem, ...about, suppressed }, 'stream needs attention'),
        );
      },
    });
    this.#readers.push(reader);
    void reader.run();
  }

  #take(name: 'state' | 'critical', message: Message): Newness {
    const sink = this.#options[name];
    try {
      return this.#checked(sink, message);
    } catch (fault) {
      // One message that fails in an unforeseen way must not keep the messages behind it from being read.
      sink.skip(message);
      this.#fault(name, fault);
      return 'unclear';
    }
  }

  #checked(sink: LaneSink, message: Message): Newness {
    const { subjects, bounds, onAccepted } = this.#options;
    const mark = message.subject === subjects.cleanupMark ? decodeCleanupMark(message.data) : undefined;
    if (mark !== undefined)
      return sink.cleanedUp?.({ ...mark, seq: message.seq }, message.timeMs) ?? 'unclear';
    const checked = accept(message, subjects, bounds);
    if ('reject' in checked) {
      sink.skip(message);
      this.#reject(message, checked.lane, checked.reject);
      return 'unclear';
    }
    const taken = sink.take(checked);
    if (taken === 'full') {
      this.#reject(message, checked.lane, 'stateFull');
      return 'unclear';
    }
    onAccepted(checked.lane);
    return taken;
  }

  #cosmetic({ subject, data }: Pick<Message, 'subject' | 'data'>): void {
    const message = { seq: 0, subject, data, timeMs: 0 };
    const checked = accept(message, this.#options.subjects, this.#options.bounds);
    if ('reject' in checked) return this.#reject(message, checked.lane, checked.reject);
    this.#options.onAccepted('cosmetic');
    this.#options.cosmetic(checked.channel, checked.value ?? 'null');
  }

  #reject(message: Message, lane: Lane | undefined, reason: RejectReason): void {
    this.#options.onRejected(lane, reason);
    this.#rejected.report(message, lane, reason);
  }
}

/** No retry helps: a person must look. */
function needsSomebody(detail: unknown): boolean {
  return detail instanceof StreamConflictError || detail instanceof JetStreamDisabledError;
}

/** What a lane holds, by the subjects of its stream. */
function heldIn(
  { held }: LaneSink,
  subjects: Subjects,
  isRejected: (message: Message) => boolean,
): { readonly held?: Held } {
  if (held === undefined) return {};
  return {
    held: {
      *after(sinceSeq) {
        for (const { channel, key, seq, value } of held.after(sinceSeq))
          yield { subject: subjects.data({ lane: 'state', channel, key }), seq, value };
      },
      isRejected,
      hasValue(subject) {
        const address = subjects.parse(subject);
        return address?.lane !== 'state' || held.has(address.channel, address.key) === 'value';
      },
      isWhole: () => held.isWhole(),
    },
  };
}

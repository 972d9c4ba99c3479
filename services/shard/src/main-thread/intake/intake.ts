// Feeds the lanes from NATS: two streams that are verified all the time, and the cosmetic subjects as they come. It checks
// each message once, then hands it to its lane.
import type { Lane, PayloadBounds, StreamDefinition, Subjects } from '@weir/protocol';
import { decodeCleanupMark, limits, readPayload } from '@weir/protocol';
import type { Logger, NatsConnection, NatsLink } from '@weir/runtime';
import { JetStreamDisabledError, logThrottle, StreamConflictError } from '@weir/runtime';
import type { LaneSink, Newness } from '../lanes/lane-sink.ts';
import type { CheckedMessage, Message } from '../lanes/message.ts';
import { guarded } from './feed.ts';
import { NatsStream } from './nats-stream.ts';
import type { RejectReason } from './rejected.ts';
import { Rejected } from './rejected.ts';
import type { StreamAccess } from './stream-access.ts';
import type { Held, ReaderOptions, StreamProblem } from './stream-reader.ts';
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
  /** `again`: this intake saw the stream before. */
  readonly ensure: (
    connection: NatsConnection,
    definition: StreamDefinition,
    again: boolean,
  ) => Promise<void>;
  readonly state: LaneSink;
  readonly critical: LaneSink;
  readonly cosmetic: (channel: string, value: string) => void;
  readonly onAccepted: (lane: Lane) => void;
  readonly onRejected: (lane: Lane | undefined, reason: RejectReason) => void;
  readonly onProblem: (stream: 'state' | 'critical', problem: StreamProblem) => void;
  /** The lanes have become current, as far as the shard knows: after a load, and after a lost connection. */
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
  readonly #readers = new Map<'state' | 'critical', StreamReader>();
  #stateAccess: StreamAccess | undefined;
  #loaded = 0;

  constructor(options: IntakeOptions, open: OpenStream = (of) => new NatsStream(of)) {
    this.#options = options;
    this.#open = open;
    this.#rejected = new Rejected(options.link, options.logger, options.subjects.rejected, options.nowMs);
    // One throttle per log line: a flood of bad messages must not hide the problem of a stream.
    this.#sayFault = logThrottle(LOG_EVERY_MS);
    this.#sayProblem = { state: logThrottle(LOG_EVERY_MS), critical: logThrottle(LOG_EVERY_MS) };
    options.link.onStatus((status) => {
      for (const reader of this.#readers.values()) {
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

  /** Whether the lanes may be behind what was published. */
  get stale(): boolean {
    return (
      !this.loaded ||
      !this.#options.link.connected ||
      [...this.#readers.values()].some((reader) => !reader.current)
    );
  }

  /** The sequence up to which a stream was read; 0 before it begins. */
  seqOf(stream: 'state' | 'critical'): number {
    return this.#readers.get(stream)?.seq ?? 0;
  }

  /** The newest sequence of the state stream at this moment; undefined if NATS cannot say. */
  async newestState(): Promise<number | undefined> {
    if (this.stale) return undefined;
    return this.#stateAccess?.facts().then(
      (facts) => facts?.lastSeq,
      () => undefined,
    );
  }

  /** Looks at the streams now. */
  poke(): void {
    for (const reader of this.#readers.values()) reader.poke();
  }

  stop(): void {
    for (const reader of this.#readers.values()) reader.stop();
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

  /** One message or subscription has failed, by a fault of the shard or of the server. Everything else goes on. */
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
      ensure: (again) => ensure(connection, definition, again),
      fromLive: subjects.fromLive,
      onFault: (fault) => {
        this.#fault(name, fault);
        // The message is missing in the lane; the reader finds it in the stream.
        reader.poke();
      },
    });
    if (name === 'state') this.#stateAccess = access;
    const reader = new StreamReader({
      access,
      lane: sink,
      take: (message) => this.#take(name, message),
      ...holesOf(sink, subjects),
      ...heldIn(sink, subjects, this.#options.bounds),
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
    this.#readers.set(name, reader);
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

/** Whether no retry helps, so that a person must look. */
function needsSomebody(detail: unknown): boolean {
  return detail instanceof StreamConflictError || detail instanceof JetStreamDisabledError;
}

/** Tells a lane to which each message counts what its stream has lost. */
function holesOf({ lost, owed }: LaneSink, subjects: Subjects): Pick<ReaderOptions, 'onHole' | 'owed'> {
  if (lost === undefined) return {};
  return {
    owed: (facts) =>
      new Map(
        [...(owed?.(facts) ?? [])].map(([channel, count]) => [
          subjects.data({ lane: 'critical', channel }),
          count,
        ]),
      ),
    onHole: ({ upToSeq, subjects: of }) => {
      lost(
        upToSeq,
        of?.flatMap((one) => subjects.parse(one)?.channel ?? []),
      );
    },
  };
}

/** What a lane holds, by the subjects of its stream. */
function heldIn({ held }: LaneSink, subjects: Subjects, bounds: PayloadBounds): { readonly held?: Held } {
  if (held === undefined) return {};
  return {
    held: {
      *after(sinceSeq) {
        for (const { channel, key, seq, value } of held.after(sinceSeq))
          yield { subject: subjects.data({ lane: 'state', channel, key }), seq, value };
      },
      isRejected: (message) => 'reject' in accept(message, subjects, bounds),
      isJunk: (message) => 'reject' in accept(message, subjects, limits),
      hasValue(subject) {
        const address = subjects.parse(subject);
        return address?.lane !== 'state' || held.has(address.channel, address.key) === 'value';
      },
      isWhole: () => held.isWhole(),
    },
  };
}

/** Why a message is refused, and of which lane it is as far as its subject says. */
export interface Refusal {
  readonly reject: RejectReason;
  readonly lane: Lane | undefined;
}

/** Checks a message of a lane's subjects. Decodes its payload once. */
export function accept(
  { seq, subject, data, timeMs }: Message,
  subjects: Subjects,
  bounds: PayloadBounds,
): CheckedMessage | Refusal {
  const address = subjects.parse(subject);
  if (address === undefined) return { reject: 'subject', lane: subjects.laneOf(subject) };
  const { lane, channel } = address;
  const key = lane === 'state' ? address.key : '';
  const read = readPayload(data, bounds);
  if ('text' in read) return { seq, subject, data, timeMs, lane, channel, key, value: read.text };
  if (read.problem !== 'empty' || lane !== 'state') return { reject: read.problem, lane };
  return { seq, subject, data, timeMs, lane, channel, key, value: undefined };
}

// The command line's counterpart of publisher.ts: parse -> send -> NATS, the replay and the demo feed.
// It only connects the stages; cli/ interprets the command line.
import { setTimeout as sleep } from 'node:timers/promises';
import { createSubjects, streamDefinitions } from '@weir/protocol';
import type { NatsLink } from '@weir/runtime';
import { createLogger, ensureStreams, natsAccess, openNats, systemClock } from '@weir/runtime';
import type { CliConfig } from './config.ts';
import { Lobby, lobbyPeriodMs } from './demo/lobby.ts';
import type { Turn } from './demo/run-feed.ts';
import { runFeed } from './demo/run-feed.ts';
import type { Message } from './parse/message.ts';
import { parseMessage } from './parse/parse-message.ts';
import type { RecordingRequest } from './recording.ts';
import { maxLineBytes, recordingOf } from './recording.ts';
import type { Input } from './replay/open-input.ts';
import { openInput } from './replay/open-input.ts';
import type { Line } from './replay/read-lines.ts';
import { readLines, splitLines } from './replay/read-lines.ts';
import type { Rehearsal } from './replay/rehearsal.ts';
import type { ReplayReport } from './replay/replay.ts';
import { replay } from './replay/replay.ts';
import { fetchLost, isUrl } from './restore/fetch-lost.ts';
import type { RestoreReport } from './restore/restore.ts';
import { restore } from './restore/restore.ts';
import { AbsentWriter } from './send/absent.ts';
import type { Outcome } from './send/outcome.ts';
import { Sender } from './send/sender.ts';
import { natsTransport } from './send/transport.ts';

export { makeMessage } from './parse/parse-message.ts';
export { Rehearsal } from './replay/rehearsal.ts';

const connectMs = 5_000;
const ackTimeoutMs = 5_000;
const maxInFlight = 512;
const ensureMs = 5_000;

/** NATS did not answer in time. */
export class NatsUnreachableError extends Error {
  readonly code = 'NATS_UNREACHABLE';

  constructor() {
    super('NATS does not answer');
    this.name = 'NatsUnreachableError';
  }
}

export interface ReplayRequest extends RecordingRequest {
  /** The recording; closed when the replay is stopped. */
  readonly input: Input;
  readonly loop: boolean;
  readonly skipBad: boolean;
  readonly channelPrefix: string;
  readonly stopping: AbortSignal;
  readonly warn: (text: string) => void;
  readonly progress: (report: ReplayReport) => void;
}

export interface RestoreRequest {
  /** The admin URL of a shard, a file, or `-`. */
  readonly source: string;
  readonly stopping: AbortSignal;
  readonly progress: (report: RestoreReport) => void;
}

/** One connection to NATS with the operations of the commands. */
export class Publishing {
  readonly #link: NatsLink;
  readonly #sender: Sender;
  readonly #prefix: string;

  private constructor(link: NatsLink, prefix: string) {
    this.#link = link;
    this.#prefix = prefix;
    this.#sender = new Sender({
      transport: natsTransport(link),
      subjects: createSubjects(prefix),
      ackTimeoutMs,
      maxInFlight,
      clock: systemClock,
    });
  }

  /** Connects; rejects with `NatsUnreachableError` after 5 s. */
  static async open(servers: readonly string[], config: CliConfig): Promise<Publishing> {
    const link = openNats({
      servers,
      name: 'weir-publish',
      ...natsAccess(config),
      logger: quiet(),
    });
    const late = new AbortController();
    const timeout = sleep(connectMs, undefined, { signal: late.signal }).then(
      () => Promise.reject(new NatsUnreachableError()),
      () => undefined,
    );
    try {
      await Promise.race([link.ready(), timeout]);
    } catch (error) {
      await link.close();
      throw error;
    } finally {
      late.abort();
    }
    return new Publishing(link, config.subjectPrefix);
  }

  close(): Promise<void> {
    return this.#link.close();
  }

  /** Publishes one message; creates the streams if they do not exist. */
  async publish(message: Message): Promise<Outcome> {
    const [outcome] = await this.#sender.sendAll([message]);
    if (outcome?.kind !== 'unavailable' || !this.#link.connected) return outcome ?? { kind: 'unknown' };
    await this.#ensure();
    const [second] = await this.#sender.sendAll([message]);
    return second ?? { kind: 'unknown' };
  }

  /** Replays a recording; after its start it rejects only with a `ReplayError`. */
  async replay(request: ReplayRequest): Promise<ReplayReport> {
    await this.#ensure();
    const { input, stopping } = request;
    // Otherwise the command would wait for a silent pipe.
    if (stopping.aborted) input.close();
    stopping.addEventListener('abort', () => input.close(), { once: true });
    return replay({
      ...request,
      ...recordingOf(request),
      submit: (message) => this.#sender.submit(message),
      run: systemClock.wallMs().toString(36),
      sleep: (ms) => sleep(ms),
      monotonicMs: () => systemClock.monotonicMs(),
      stopped: () => stopping.aborted,
    });
  }

  /** Writes lost state back; rejects with a `RestoreError`, or with the file system's own error. */
  async restore(request: RestoreRequest): Promise<RestoreReport> {
    const { source, stopping } = request;
    const { lines, close } = await linesOf(source);
    // Otherwise the command would wait for a silent pipe.
    if (stopping.aborted) close();
    stopping.addEventListener('abort', close, { once: true });
    await this.#ensure();
    const subjects = createSubjects(this.#prefix);
    const writer = new AbsentWriter({ link: this.#link, subjects, ackTimeoutMs, maxInFlight });
    return restore({
      ...request,
      lines,
      stopped: () => stopping.aborted,
      parse: parseMessage,
      submit: (message) => writer.submit(message),
    });
  }

  /** Plays the lobby until `stopped`. */
  async demo(options: {
    readonly channel: string;
    readonly stopping: AbortSignal;
    readonly turn: (turn: Turn) => void;
  }): Promise<void> {
    await this.#ensure();
    const firstHit = Math.floor(systemClock.wallMs() / 1000);
    const lobby = new Lobby({ channel: options.channel, random: Math.random, firstHit });
    await runFeed({
      next: () => lobby.next(),
      periodMs: lobbyPeriodMs,
      send: (messages) => this.#sender.sendAll(messages),
      ready: () => this.#sender.connected,
      sleep: (ms) => sleep(ms, undefined, { signal: options.stopping }).catch(() => undefined),
      monotonicMs: () => systemClock.monotonicMs(),
      stopped: () => options.stopping.aborted,
      observe: (turn) => {
        if (turn.notKept + turn.unknown > 0) lobby.sayAll();
        options.turn(turn);
      },
    });
  }

  async #ensure(): Promise<void> {
    const { state, critical } = streamDefinitions(createSubjects(this.#prefix));
    await ensureStreams({
      connection: await this.#link.ready(),
      streams: [state, critical],
      logger: quiet(),
      deadlineMs: ensureMs,
      again: true, // which this process cannot know: it has just started
    });
  }
}

/** Reads and checks a recording as `replay` does, and publishes nothing; needs no NATS. */
export function rehearse(request: ReplayRequest, seen: Rehearsal): Promise<ReplayReport> {
  const { input, stopping } = request;
  stopping.addEventListener('abort', () => input.close(), { once: true });
  const recording = recordingOf(request);
  return replay({
    ...request,
    ...recording,
    loop: false,
    pace: { due: (atMs) => seen.due(recording.pace.due(atMs)), again: () => undefined },
    submit: (message) => Promise.resolve({ outcome: Promise.resolve(seen.take(message)) }),
    run: '',
    sleep: () => Promise.resolve(),
    monotonicMs: () => 0,
    stopped: () => stopping.aborted,
  });
}

/** The lines of an admin URL, a file (packed or not) or `-`. */
async function linesOf(source: string): Promise<{ lines: AsyncIterable<Line>; close: () => void }> {
  if (!isUrl(source)) {
    const input = openInput(source);
    return { lines: readLines(input, maxLineBytes).lines, close: () => input.close() };
  }
  const cut = new AbortController();
  return { lines: splitLines(await fetchLost(source, cut), maxLineBytes), close: () => cut.abort() };
}

/** The commands report the events themselves. */
function quiet(): ReturnType<typeof createLogger> {
  return createLogger({ service: 'weir-publish', level: 'silent' });
}

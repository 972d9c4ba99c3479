// Control's work on the streams while NATS is there: it measures how full they are and whether they store all published
// messages, and removes old deletions from the state stream.
import type { Subjects } from '@weir/protocol';
import { streamDefinitions } from '@weir/protocol';
import type { Clock, Logger, NatsConnection, NatsLink } from '@weir/runtime';
import { logThrottle } from '@weir/runtime';
import { startCleanUp } from './clean-up/attend.ts';
import type { ControlConfig } from './config.ts';
import type { Fullness, StreamName } from './fullness/attend.ts';
import { startFullness } from './fullness/attend.ts';
import type { ControlMetrics } from './metrics.ts';

export interface StreamsOptions {
  readonly config: ControlConfig;
  readonly subjects: Subjects;
  /** A connection for counting alone: if the server ends it as too slow, nothing else suffers. */
  readonly counting: NatsLink | undefined;
  readonly metrics: ControlMetrics;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly leading: () => boolean;
  /** An id of this process among other controls. */
  readonly run: string;
}

const logEveryMs = 30_000;

export class Streams {
  /** How full each stream was when control last looked; undefined if it could not. */
  readonly fullness: Map<StreamName, Fullness | undefined> = new Map();
  /** Messages that the streams have not stored, as far as control has counted. */
  notStored = 0;
  readonly #o: StreamsOptions;
  readonly #polls: { stop(): void }[] = [];
  #stopped = false;

  constructor(options: StreamsOptions) {
    this.#o = options;
  }

  /** Begins; call it when NATS is there. */
  attend(connection: NatsConnection): void {
    if (this.#o.config.cleanUpDeletions) this.#cleanUp(connection);
    void this.#measure(connection);
  }

  stop(): void {
    this.#stopped = true;
    for (const poll of this.#polls) poll.stop();
  }

  #cleanUp(connection: NatsConnection): void {
    const { config, metrics, logger, subjects, run, leading, clock } = this.#o;
    const often = logThrottle(logEveryMs, clock);
    this.#polls.push(
      startCleanUp({
        connection,
        stream: streamDefinitions(subjects).state.name,
        markSubject: subjects.cleanupMark,
        afterMs: config.cleanUpAfterMs,
        maxRemovals: config.cleanUpPerSecond,
        run,
        leading,
        onRemoved: (count) => metrics.deletionsRemoved.inc(count),
        onRound: (outcome, err) => {
          metrics.cleanUpRounds.inc({ outcome });
          if (err !== undefined) often((suppressed) => logger.warn({ err, suppressed }, 'clean-up failed'));
        },
      }),
    );
  }

  async #measure(connection: NatsConnection): Promise<void> {
    const { config, metrics, logger, subjects, leading, clock } = this.#o;
    const counting = await this.#o.counting?.ready().catch(() => undefined);
    if (this.#stopped) return;
    const sayFailed = logThrottle(logEveryMs, clock);
    const sayLost = logThrottle(logEveryMs, clock);
    this.#polls.push(
      startFullness({
        connection,
        counting,
        subjects,
        definitions: streamDefinitions(subjects),
        everyMs: config.measureEveryMs,
        maxMessages: config.measureMaxMessages,
        leading,
        onFullness: (stream, fullness) => this.fullness.set(stream, fullness),
        onWindow: (stream, counted, lost) => {
          metrics.countedMessages.inc({ stream }, counted);
          metrics.notStoredMessages.inc({ stream }, lost);
          this.notStored += lost;
          const facts = { stream, counted, lost };
          if (lost > 0)
            sayLost((suppressed) => logger.error({ ...facts, suppressed }, 'messages were not stored'));
        },
        onLook: (stream, outcome, err) => {
          metrics.streamLooks.inc({ stream, outcome });
          if (err !== undefined)
            sayFailed((suppressed) => logger.warn({ stream, err, suppressed }, 'stream was not measured'));
        },
      }),
    );
  }
}

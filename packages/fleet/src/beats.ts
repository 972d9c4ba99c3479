// From NATS to the table of shards. Keeps the last table while NATS is away, and says so.
// Must never believe a beat that does not decode, nor log one.
import { decodeBeat } from './beat.ts';
import type { ContactClock } from './contact-clock.ts';
import { createContactClock } from './contact-clock.ts';
import type { Observed, ShardEntry } from './roster.ts';
import { Roster } from './roster.ts';

/** What became of a beat: the label of a metric. */
export const BEAT_OUTCOMES = ['known', 'new', 'taken', 'full', 'invalid'] as const satisfies readonly (
  | Observed
  | 'invalid'
)[];
export type BeatOutcome = (typeof BEAT_OUTCOMES)[number];

/** The part of a NATS connection that is needed; the real one fits. */
export interface BeatSource {
  subscribe(
    subject: string,
    options: { readonly callback: (error: Error | null, message: { readonly data: Uint8Array }) => void },
  ): unknown;
  flush(): Promise<void>;
}

/** How beats are taken in. */
export interface BeatsOptions {
  readonly silentMs: number;
  readonly maxShards: number;
  readonly clock: { monotonicMs(): number; wallMs(): number };
  readonly onBeat: (outcome: BeatOutcome) => void;
}

/** The table of shards. */
export interface Beats {
  /** The shards that are alive; while NATS is away, those that were. */
  entries(): readonly ShardEntry[];
  ticketGiven(shard: string): void;
  /** Takes the bytes of one beat. */
  take(bytes: Uint8Array): void;
  /** Subscribes, and asks once a second for an echo so that silence can be told from deafness. */
  listen(source: BeatSource, subject: string): void;
  /** Whether the table is what was last known, since nothing is heard. */
  readonly stale: boolean;
  /** Whether anything was heard since the start, long enough ago that every shard had time to beat. */
  readonly settled: boolean;
  close(): void;
}

const echoEveryMs = 1_000;
/** An echo that has not come by then is given up; another one is asked for. */
const echoTimeoutMs = 5_000;
/** Shards beat once a second. */
const firstBeatsMs = 1_500;

/** Makes the table. */
export function createBeats(o: BeatsOptions): Beats {
  const contact = createContactClock(o.clock);
  const roster = new Roster({ silentMs: o.silentMs, maxShards: o.maxShards, clock: contact });
  let firstHeardMs: number | undefined;
  let timer: NodeJS.Timeout | undefined;
  const heard = (): void => {
    contact.heard();
    firstHeardMs ??= o.clock.monotonicMs();
  };
  const take = (bytes: Uint8Array): void => {
    heard();
    const beat = decodeBeat(bytes);
    o.onBeat(beat === undefined ? 'invalid' : roster.observe(beat));
  };
  return {
    entries: () => roster.list(),
    ticketGiven: (shard) => roster.ticketGiven(shard),
    take,
    listen(source, subject) {
      source.subscribe(subject, {
        callback: (error, message) => {
          if (error === null) take(message.data);
        },
      });
      const echo = createEcho(source, o.clock, heard);
      echo();
      timer = setInterval(echo, echoEveryMs);
      timer.unref();
    },
    get stale() {
      return contact.outOfTouch;
    },
    get settled() {
      if (firstHeardMs === undefined) return false;
      return roster.list().length > 0 || o.clock.monotonicMs() - firstHeardMs >= firstBeatsMs;
    },
    close: () => clearInterval(timer),
  };
}

/** Asks for one echo at a time. */
function createEcho(
  source: BeatSource,
  clock: { monotonicMs(): number },
  heard: ContactClock['heard'],
): () => void {
  let askedMs: number | undefined;
  return () => {
    const nowMs = clock.monotonicMs();
    if (askedMs !== undefined && nowMs - askedMs < echoTimeoutMs) return;
    askedMs = nowMs;
    const answered = (): void => {
      if (askedMs === nowMs) askedMs = undefined;
    };
    source.flush().then(() => {
      answered();
      heard();
    }, answered);
  };
}

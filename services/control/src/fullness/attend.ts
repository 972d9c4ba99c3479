// Looks at the streams repeatedly: how full they are, and, while this control leads, whether they store all published
// messages. Keeps the last result for the metrics.
import type { JetStreamManager } from '@nats-io/jetstream';
import { jetstreamManager } from '@nats-io/jetstream';
import type { StreamDefinition, Subjects } from '@weir/protocol';
import type { NatsConnection } from '@weir/runtime';
import type { CountOptions } from './count.ts';
import { countWindow } from './count.ts';
import type { Window } from './window.ts';
import { notStored } from './window.ts';

/** The streams with publishers' messages. */
export const STREAMS = ['state', 'critical'] as const;
export type StreamName = (typeof STREAMS)[number];

/** How full a stream is. A limit of 0 means no limit. */
export interface Fullness {
  readonly bytes: number;
  readonly maxBytes: number;
  readonly messages: number;
  readonly maxMessages: number;
  /** When the stream was created. */
  readonly createdMs: number;
  /** Time of its oldest message. */
  readonly oldestMs: number;
  readonly lastSeq: number;
}

/** Outcome of a look; lost: more was published than was stored. */
export const LOOK_OUTCOMES = ['seen', 'measured', 'lost', 'failed'] as const;
export type LookOutcome = (typeof LOOK_OUTCOMES)[number];

export interface FullnessOptions {
  readonly connection: NatsConnection;
  /** A connection for counting only: if the server ends it as too slow, nothing else is affected. */
  readonly counting: NatsConnection | undefined;
  readonly definitions: Readonly<Record<StreamName, StreamDefinition>>;
  readonly subjects: Subjects;
  readonly everyMs: number;
  readonly maxMessages: number;
  readonly leading: () => boolean;
  readonly onFullness: (stream: StreamName, fullness: Fullness | undefined) => void;
  readonly onWindow: (stream: StreamName, counted: number, lost: number) => void;
  readonly onLook: (stream: StreamName, outcome: LookOutcome, error?: unknown) => void;
}

/** Length of a window, and never more than the time between two windows. */
const WINDOW_MS = 1_000;

/** Starts at once. */
export function startFullness(o: FullnessOptions): { stop(): void } {
  const manager = jetstreamManager(o.connection, { checkAPI: false });
  manager.catch(() => undefined);
  let stopped = false;
  const timers = new Map<StreamName, NodeJS.Timeout>();
  const look = async (stream: StreamName): Promise<void> => {
    const startMs = performance.now();
    await lookOnce(o, stream, manager);
    if (stopped) return;
    const waitMs = Math.max(0, o.everyMs - (performance.now() - startMs));
    timers.set(stream, setTimeout(() => void look(stream), waitMs).unref());
  };
  for (const stream of STREAMS) void look(stream);
  return {
    stop() {
      stopped = true;
      for (const timer of timers.values()) clearTimeout(timer);
    },
  };
}

async function lookOnce(
  o: FullnessOptions,
  stream: StreamName,
  manager: Promise<JetStreamManager>,
): Promise<void> {
  try {
    const { state, config, created } = await (await manager).streams.info(o.definitions[stream].name);
    o.onFullness(stream, {
      bytes: state.bytes,
      maxBytes: Math.max(0, config.max_bytes),
      messages: state.messages,
      maxMessages: Math.max(0, config.max_msgs),
      createdMs: Date.parse(created),
      oldestMs: Date.parse(state.first_ts),
      lastSeq: state.last_seq,
    });
  } catch (error) {
    o.onFullness(stream, undefined);
    return o.onLook(stream, 'failed', error);
  }
  const { counting } = o;
  if (counting === undefined || !o.leading()) return o.onLook(stream, 'seen');
  const count: CountOptions = {
    subjects: o.subjects.all(stream),
    edgeSubject: o.subjects.edge(stream),
    windowMs: Math.min(WINDOW_MS, o.everyMs),
    maxMessages: o.maxMessages,
  };
  try {
    told(o, stream, await countWindow(counting, count));
  } catch (error) {
    o.onLook(stream, 'failed', error);
  }
}

function told(o: FullnessOptions, stream: StreamName, window: Window): void {
  const lost = notStored(window);
  o.onWindow(stream, window.counted, lost);
  o.onLook(stream, lost > 0 ? 'lost' : 'measured');
}

/** The part of its nearest limit that a stream uses; 0 without a limit. */
export function fillRatio({
  bytes,
  maxBytes,
  messages,
  maxMessages,
}: Pick<Fullness, 'bytes' | 'maxBytes' | 'messages' | 'maxMessages'>): number {
  const ofBytes = maxBytes > 0 ? bytes / maxBytes : 0;
  const ofMessages = maxMessages > 0 ? messages / maxMessages : 0;
  return Math.max(ofBytes, ofMessages);
}

// A stream reader on a fake stream, and what its lane was told, in short. Nothing in it waits for a timer: tests poke.
import { expect } from 'vitest';
import { StreamReader } from '../main-thread/intake/stream-reader.ts';
import type { Cleanup } from '../main-thread/lanes/state-lane.ts';
import { FakeStream } from './fake-stream.ts';

export const VERIFY_MS = 1_000_000;

export interface Bench {
  readonly stream: FakeStream;
  readonly reader: StreamReader;
  /** What the sink was told, in short. */
  readonly told: string[];
  readonly problems: string[];
  /** Holes in a stream of which each message counts, and what had been told before each. */
  readonly holes: string[];
  /** `hadMs`: up to then clients had everything. */
  readonly sink: { failLoaded: number; hadMs: number };
  /** How many messages the stream must still have, by subject. */
  owed: ReadonlyMap<string, number>;
  /** What control says that it removed. */
  removals: Cleanup | undefined;
  /** All values have found room. */
  isWhole: boolean;
  /** What the lane holds if the stream keeps the newest of each subject: values by subject, without deletions. */
  values(): Readonly<Record<string, string>>;
  /** Time passes. */
  later(ms: number): void;
  readonly ended: Promise<void>;
}

export function start(stream = new FakeStream()): Bench {
  const told: string[] = [];
  let newest = new Map<string, { seq: number; value: string | undefined }>();
  let nowMs = 0;
  const problems: string[] = [];
  const holes: string[] = [];
  const sink = { failLoaded: 0, hadMs: 0 };
  const reader = new StreamReader({
    access: stream,
    lane: {
      begin: (epoch) => {
        told.push(`begin ${epoch}`);
        newest = new Map();
      },
      loaded: (seq) => {
        if (sink.failLoaded > 0) {
          sink.failLoaded--;
          throw new Error('loaded fails');
        }
        told.push(`loaded ${seq}`);
      },
      hadMs: () => sink.hadMs,
      hadUpTo: (hadMs) => told.push(`had ${hadMs}`),
      removals: () => bench.removals,
    },
    take: ({ seq, subject, data }) => {
      told.push(`${seq}`);
      if (isRejected({ data })) return 'unclear';
      const isKnown = newest.has(subject);
      newest.set(subject, { seq, value: data.length === 0 ? undefined : data.toString() });
      return isKnown ? 'known' : 'new';
    },
    ...(stream.latestOnly
      ? {
          held: {
            after: (since: number) =>
              [...newest].map(([subject, it]) => ({ subject, ...it })).filter(({ seq }) => seq > since),
            isRejected,
            isJunk: (message) => !isOfOtherBounds(message) && isRejected(message),
            hasValue: (subject: string) => newest.get(subject)?.value !== undefined,
            isWhole: () => bench.isWhole,
          },
        }
      : {
          owed: () => bench.owed,
          onHole: ({ upToSeq, subjects }) => holes.push(`${told.at(-1)}, ${upToSeq}: ${subjects ?? 'any'}`),
        }),
    // Nothing here waits for a timer of its own: tests poke.
    verifyMs: VERIFY_MS,
    retryMs: 0,
    maxWaiting: 8,
    nowMs: () => nowMs,
    random: () => 0,
    onProblem: (problem, detail) =>
      problems.push(
        detail instanceof Error ? `${problem}: ${detail.message}` : `${problem} ${String(detail)}`,
      ),
  });
  const bench: Bench = {
    stream,
    reader,
    told,
    problems,
    holes,
    sink,
    owed: new Map(),
    removals: undefined,
    isWhole: true,
    values: () =>
      Object.fromEntries(
        [...newest].flatMap(([subject, { value }]) => (value === undefined ? [] : [[subject, value]])),
      ),
    later: (ms) => {
      nowMs += ms;
    },
    ended: reader.run(),
  };
  return bench;
}

/** In these tests what cannot be broadcast says so: by no shard, or only not by this one. */
function isRejected(message: { readonly data: Uint8Array }): boolean {
  return isOfOtherBounds(message) || Buffer.from(message.data).toString() === 'bad';
}

function isOfOtherBounds({ data }: { readonly data: Uint8Array }): boolean {
  return Buffer.from(data).toString() === 'large';
}

/** Lets everything run that waits for nothing but its turn. */
export async function settle(): Promise<void> {
  for (let i = 0; i < 20; i++) await new Promise((resolve) => setTimeout(resolve, 0));
}

export async function end({ reader, ended, stream }: Bench): Promise<void> {
  reader.stop();
  await ended;
  expect(stream.followed).toBe(false);
}

export const EPOCH: string = 'begin rs-0';

// A stream reader on a fake stream, and what its sink was told in short. Nothing in it waits for a timer: tests poke.
import { expect } from 'vitest';
import { StreamReader } from '../intake/stream-reader.ts';
import { FakeStream } from './fake-stream.ts';

export interface Bench {
  readonly stream: FakeStream;
  readonly reader: StreamReader;
  /** What the sink was told, in short. */
  readonly told: string[];
  readonly problems: string[];
  readonly sink: { failLoaded: number };
  readonly ended: Promise<void>;
}

export function start(stream = new FakeStream()): Bench {
  const told: string[] = [];
  let newest = new Map<string, number>();
  const problems: string[] = [];
  const sink = { failLoaded: 0 };
  const reader = new StreamReader({
    access: stream,
    sink: {
      begin: (epoch) => {
        told.push(`begin ${epoch}`);
        newest = new Map();
      },
      message: ({ seq, subject }) => {
        told.push(`${seq}`);
        newest.set(subject, seq);
      },
      loaded: (seq) => {
        if (sink.failLoaded > 0) {
          sink.failLoaded--;
          throw new Error('loaded fails');
        }
        told.push(`loaded ${seq}`);
      },
      ...(stream.latestOnly
        ? {
            held: {
              after: (since) =>
                [...newest].map(([subject, seq]) => ({ subject, seq })).filter(({ seq }) => seq > since),
            },
          }
        : {}),
    },
    // Nothing here waits for a timer of its own: tests poke.
    verifyMs: 1_000_000,
    retryMs: 0,
    maxWaiting: 8,
    onProblem: (problem, detail) =>
      problems.push(
        detail instanceof Error ? `${problem}: ${detail.message}` : `${problem} ${String(detail)}`,
      ),
  });
  return { stream, reader, told, problems, sink, ended: reader.run() };
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

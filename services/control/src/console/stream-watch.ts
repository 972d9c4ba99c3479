// What control sees of the streams, as the page shows it; notices a new epoch and a stream that goes or comes back.
import type { Fullness, StreamName } from '../fullness/attend.ts';
import type { Change } from './fleet-watch.ts';
import type { StreamLag } from './stream-lag.ts';
import type { StreamView } from './view.ts';

interface Seen {
  readonly fullness: Fullness;
  readonly atMs: number;
  readonly perSecond: number;
}

export class StreamWatch {
  readonly #seen = new Map<StreamName, Seen>();
  readonly #there = new Map<StreamName, boolean>();
  #nowMs = 0;

  step(
    streams: readonly StreamName[],
    fullnessOf: (stream: StreamName) => Fullness | undefined,
    wallMs: number,
  ): readonly Change[] {
    this.#nowMs = wallMs;
    return streams.flatMap((stream) => this.#look(stream, fullnessOf(stream), wallMs));
  }

  views(behind: number, lagOf: (stream: StreamName) => StreamLag | undefined): readonly StreamView[] {
    return [...this.#seen].map(([stream, { fullness, perSecond }]) => {
      const lag = lagOf(stream);
      const { bytes, maxBytes, messages, maxMessages, createdMs, oldestMs, lastSeq } = fullness;
      const fill = Math.max(
        maxBytes > 0 ? bytes / maxBytes : 0,
        maxMessages > 0 ? messages / maxMessages : 0,
      );
      return {
        stream,
        seen: this.#there.get(stream) === true,
        fill: Math.round(fill * 10_000) / 10_000,
        bytes,
        maxBytes,
        messages,
        perSecond,
        ageMs: messages > 0 && oldestMs > 0 ? Math.max(0, this.#nowMs - oldestMs) : undefined,
        createdMs,
        lastSeq,
        behind,
        lag: lag?.messages,
        slowest: lag?.shard,
      };
    });
  }

  #look(about: StreamName, fullness: Fullness | undefined, atMs: number): readonly Change[] {
    const before = this.#seen.get(about);
    const wasThere = this.#there.get(about);
    if (fullness === undefined) {
      if (before === undefined) return [];
      this.#there.set(about, false);
      return wasThere === true
        ? [{ level: 'bad', about, text: `Control cannot see the stream ${about}.` }]
        : [];
    }
    this.#there.set(about, true);
    // The same object: control has not looked again since.
    if (before?.fullness === fullness) return [];
    const same = before !== undefined && before.fullness.createdMs === fullness.createdMs;
    const stored = same ? fullness.lastSeq - before.fullness.lastSeq : 0;
    const seconds = before === undefined ? 0 : (atMs - before.atMs) / 1000;
    const perSecond = stored > 0 && seconds > 0 ? Math.round((stored / seconds) * 100) / 100 : 0;
    this.#seen.set(about, { fullness, atMs, perSecond });
    if (before !== undefined && !same)
      return [{ level: 'warn', about, text: `The stream ${about} was created anew: clients get snapshots.` }];
    if (wasThere === false)
      return [{ level: 'good', about, text: `Control sees the stream ${about} again.` }];
    return [];
  }
}

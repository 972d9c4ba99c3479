// How many stored messages the slowest shard has not read. Control and shards look at different moments, so a shard is
// compared with what control had seen of the stream a step before it asked that shard: the number is never too high.
import type { Fullness, StreamName } from '../fullness/attend.ts';
import type { Process } from './processes.ts';

export interface StreamLag {
  readonly messages: number;
  /** The shard that has read the least; undefined if all have read everything. */
  readonly shard: string | undefined;
}

type Seen = ReadonlyMap<StreamName, Fullness | undefined>;

export class StreamLags {
  /** What control had seen at this step, at the step before, which asked for the newest answers, and before that. */
  #seen: readonly [now: Seen, asked: Seen, before: Seen] = [new Map(), new Map(), new Map()];

  step(streams: readonly StreamName[], fullnessOf: (stream: StreamName) => Fullness | undefined): void {
    const [now, asked] = this.#seen;
    this.#seen = [new Map(streams.map((stream) => [stream, fullnessOf(stream)])), now, asked];
  }

  /** Undefined while control does not see the stream, after it was created anew, and if no shard tells. */
  of(stream: StreamName, shards: readonly Process[]): StreamLag | undefined {
    const [now, , before] = this.#seen.map((seen) => seen.get(stream));
    if (now === undefined || before === undefined || now.createdMs !== before.createdMs) return undefined;
    // A stream that went back has fewer messages than before.
    const stored = Math.min(now.lastSeq, before.lastSeq);
    const name = `weir_shard_stream_sequence{stream="${stream}"}`;
    const read = shards.flatMap(({ figures: { id, series } }) => {
      const seq = series[name];
      return seq === undefined ? [] : [{ shard: id, seq }];
    });
    const [first, ...others] = read;
    if (first === undefined) return undefined;
    const slowest = others.reduce((least, one) => (one.seq < least.seq ? one : least), first);
    const messages = Math.max(0, stored - slowest.seq);
    return { messages, shard: messages === 0 ? undefined : slowest.shard };
  }
}

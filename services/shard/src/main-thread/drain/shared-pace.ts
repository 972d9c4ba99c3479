// One pace for all shards of a pool that drain at the same time, so that the shards which stay get no more clients a
// second than from one drain. Each draining shard hears the beats of its pool and takes an equal share. The shards agree
// on nothing: a shard that hears fewer others divides by fewer.
import { decodeBeat } from '@weir/fleet';

/** The part of a NATS connection that is needed; the real one fits. */
export interface PaceSource {
  subscribe(
    subject: string,
    options: { readonly callback: (error: Error | null, message: { readonly data: Uint8Array }) => void },
  ): unknown;
}

export interface SharedPaceOptions {
  readonly shardId: string;
  /** Of the whole pool. */
  readonly movesPerSecond: number;
  readonly nowMs: () => number;
}

/** Shards beat once a second. A shard that is silent for this long, while this shard hears its own beats, has ended. */
const SILENT_MS = 3_000;
/** More names than a pool has shards are made up. */
const MAX_SHARDS = 1_000;

export class SharedPace {
  /** Called when the share has changed. */
  onChange: () => void = () => undefined;
  readonly #o: SharedPaceOptions;
  /** When the others that drain and have clients were heard last. */
  readonly #others = new Map<string, number>();
  /** When this shard last heard its own beat. */
  #ownMs = Number.NEGATIVE_INFINITY;
  #listening = false;

  constructor(options: SharedPaceOptions) {
    this.#o = options;
  }

  /** Shards that drain, this one included; 0 before this one does. */
  get shards(): number {
    return this.#listening ? this.#others.size + 1 : 0;
  }

  /** This shard's share. */
  get movesPerSecond(): number {
    return this.#o.movesPerSecond / Math.max(1, this.shards);
  }

  /** This shard drains: from now on the beats of its pool count. */
  listen(source: PaceSource | undefined, subject: string): void {
    this.#listening = true;
    source?.subscribe(subject, {
      callback: (error, { data }) => {
        if (error === null) this.heard(data);
      },
    });
  }

  /** Takes the bytes of one beat. */
  heard(bytes: Uint8Array): void {
    const beat = decodeBeat(bytes);
    if (beat === undefined) return;
    const nowMs = this.#o.nowMs();
    const before = this.#others.size;
    if (beat.shard === this.#o.shardId) this.#forgetSilent(nowMs);
    else if (!beat.draining || beat.connections === 0) this.#others.delete(beat.shard);
    else if (this.#others.has(beat.shard) || before < MAX_SHARDS) this.#others.set(beat.shard, nowMs);
    if (this.#others.size !== before) this.onChange();
  }

  /** This shard hears its own beat again. While it did not, NATS was away: it heard no other shard, and those go on. */
  #forgetSilent(nowMs: number): void {
    const wasAway = nowMs - this.#ownMs > SILENT_MS;
    this.#ownMs = nowMs;
    for (const [shard, heardMs] of this.#others) {
      if (wasAway) this.#others.set(shard, nowMs);
      else if (nowMs - heardMs > SILENT_MS) this.#others.delete(shard);
    }
  }
}

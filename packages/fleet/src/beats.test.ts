import { afterEach, describe, expect, it } from 'vitest';
import { encodeBeat } from './beat.ts';
import type { BeatOutcome, BeatSource, Beats } from './beats.ts';
import { createBeats } from './beats.ts';
import { beatOf } from './fakes/shard-entry.ts';

class FakeNats implements BeatSource {
  readonly subjects: string[] = [];
  flushes = 0;
  /** What an echo does: comes, or does not. */
  reachable = true;
  #deliver: (error: Error | null, message: { readonly data: Uint8Array }) => void = () => undefined;

  subscribe(subject: string, options: { readonly callback: FakeNats['deliver'] }): void {
    this.subjects.push(subject);
    this.#deliver = options.callback;
  }

  deliver(error: Error | null, message: { readonly data: Uint8Array }): void {
    this.#deliver(error, message);
  }

  flush(): Promise<void> {
    this.flushes += 1;
    return this.reachable ? Promise.resolve() : new Promise(() => undefined);
  }
}

const open: Beats[] = [];
afterEach(() => {
  for (const beats of open.splice(0)) beats.close();
});

function table() {
  const time = { ms: 1_000 };
  const outcomes: BeatOutcome[] = [];
  const beats = createBeats({
    silentMs: 3_000,
    maxShards: 10,
    clock: { monotonicMs: () => time.ms, wallMs: () => 0 },
    onBeat: (outcome) => outcomes.push(outcome),
  });
  open.push(beats);
  const ids = (): string[] => beats.entries().map((entry) => entry.shard);
  return { beats, time, outcomes, ids };
}

describe('the table of shards', () => {
  it('has the shards that beat, and drops a silent shard while others beat', () => {
    const { beats, time, ids } = table();
    beats.take(encodeBeat(beatOf('quiet')));
    for (let i = 0; i < 4; i++) {
      beats.take(encodeBeat(beatOf('loud')));
      time.ms += 1_000;
    }
    expect(ids()).toEqual(['loud']);
  });

  it('keeps all shards while no beat arrives, and says that it is stale', () => {
    const { beats, time, ids } = table();
    beats.take(encodeBeat(beatOf('a')));
    beats.take(encodeBeat(beatOf('b')));
    time.ms += 3_600_000;
    expect([ids().sort(), beats.stale]).toEqual([['a', 'b'], true]);
    beats.take(encodeBeat(beatOf('a')));
    expect([ids().sort(), beats.stale]).toEqual([['a', 'b'], false]);
  });

  it('ignores malformed beats, and counts them', () => {
    const { beats, outcomes, ids } = table();
    for (const text of ['', '{', '[]', '{"v":1}', 'x'.repeat(100_000)]) beats.take(Buffer.from(text));
    expect([outcomes, ids()]).toEqual([Array.from({ length: 5 }, () => 'invalid'), []]);
  });

  it('is settled with the first shard, or after the time that each shard needs to beat', async () => {
    const first = table();
    expect(first.beats.settled).toBe(false);
    first.beats.take(encodeBeat(beatOf('a')));
    expect(first.beats.settled).toBe(true);
    const empty = table();
    empty.beats.listen(new FakeNats(), 'weir.ctl.beat.*.*');
    await Promise.resolve();
    expect(empty.beats.settled).toBe(false);
    empty.time.ms += 1_500;
    expect(empty.beats.settled).toBe(true);
  });
});

describe('the subscription', () => {
  it('is made once, and takes every beat', () => {
    const { beats, ids } = table();
    const nats = new FakeNats();
    beats.listen(nats, 'weir.ctl.beat.*.*');
    nats.deliver(null, { data: encodeBeat(beatOf('a')) });
    nats.deliver(new Error('permission'), { data: new Uint8Array() });
    expect([nats.subjects, ids()]).toEqual([['weir.ctl.beat.*.*'], ['a']]);
  });

  it('tells a silent shard from a deaf router by an echo', async () => {
    const { beats, time, ids } = table();
    const nats = new FakeNats();
    beats.take(encodeBeat(beatOf('only')));
    beats.listen(nats, 'weir.ctl.beat.*.*');
    await Promise.resolve();
    expect(nats.flushes).toBe(1);
    expect(beats.stale).toBe(false);
    time.ms += 2_000;
    expect(beats.stale).toBe(true);
    expect(ids()).toEqual(['only']);
  });
});

import { describe, expect, it } from 'vitest';
import type { ReachOutcome } from './reach.ts';
import { Reach } from './reach.ts';

/** A stream that answers when the test says so, and a clock that the test owns. */
class Bench {
  seq = 0;
  readonly outcomes: ReachOutcome[] = [];
  readonly ran: string[] = [];
  readonly questions: ((newest: number | undefined) => void)[] = [];
  readonly reach = new Reach({
    newest: () => new Promise((resolve) => this.questions.push(resolve)),
    seq: () => this.seq,
    sleep: (ms) => new Promise((wake) => this.#sleepers.push({ atMs: this.#nowMs + ms, wake })),
    count: (outcome) => this.outcomes.push(outcome),
  });
  #nowMs = 0;
  #sleepers: { readonly atMs: number; readonly wake: () => void }[] = [];

  when(name: string): void {
    this.reach.when(() => this.ran.push(name));
  }

  async answer(newest: number | undefined): Promise<void> {
    this.questions.shift()?.(newest);
    await settled();
  }

  async pass(ms: number): Promise<void> {
    const endMs = this.#nowMs + ms;
    for (;;) {
      const next = this.#sleepers.filter(({ atMs }) => atMs <= endMs).sort((a, b) => a.atMs - b.atMs)[0];
      if (next === undefined) break;
      this.#nowMs = next.atMs;
      this.#sleepers = this.#sleepers.filter((one) => one !== next);
      next.wake();
      await settled();
    }
    this.#nowMs = endMs;
  }
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('work that waits until the shard has read the stream', () => {
  it('runs when the shard has read it, and not before', async () => {
    const bench = new Bench();
    bench.seq = 6;
    bench.when('a');
    await bench.answer(7);
    await bench.pass(100);
    expect(bench.ran).toEqual([]);
    bench.seq = 7;
    await bench.pass(10);
    expect([bench.ran, bench.outcomes]).toEqual([['a'], ['reached']]);
  });

  it('shares one request with earlier work, and none with later work', async () => {
    const bench = new Bench();
    bench.seq = 9;
    bench.when('a');
    bench.when('b');
    bench.when('c');
    await bench.answer(9);
    expect(bench.ran).toEqual(['a']);
    await bench.pass(20);
    expect(bench.questions).toHaveLength(1);
    bench.when('d');
    await bench.answer(9);
    expect(bench.ran).toEqual(['a', 'b', 'c']);
    await bench.pass(20);
    await bench.answer(9);
    expect(bench.ran).toEqual(['a', 'b', 'c', 'd']);
  });

  it('runs at once if nothing is known of the stream', async () => {
    const bench = new Bench();
    bench.when('a');
    await bench.answer(undefined);
    expect([bench.ran, bench.outcomes]).toEqual([['a'], ['unknown']]);
  });

  it('is not delayed by a stream that does not answer, nor is the work of the next seconds', async () => {
    const bench = new Bench();
    bench.when('a');
    bench.when('b');
    await bench.pass(1_000);
    expect([bench.ran, bench.outcomes]).toEqual([
      ['a', 'b'],
      ['unknown', 'unknown'],
    ]);
    bench.when('c');
    expect([bench.ran.at(-1), bench.questions.length]).toEqual(['c', 1]);
    await bench.pass(6_000);
    bench.when('d');
    expect([bench.ran.at(-1), bench.questions.length]).toEqual(['c', 2]);
  });

  it('runs after a second if the feed does not reach it', async () => {
    const bench = new Bench();
    bench.when('a');
    await bench.answer(5);
    await bench.pass(1_000);
    expect([bench.ran, bench.outcomes]).toEqual([['a'], ['late']]);
  });
});

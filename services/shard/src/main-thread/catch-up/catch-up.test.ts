import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { heardTexts } from '../../fakes/client-ear.ts';
import type { CatchUpRequest, Cursor } from '../../port/catch-up.ts';
import { Encoder } from '../encode/encoder.ts';
import { CosmeticLane } from '../lanes/cosmetic-lane.ts';
import { CriticalLane } from '../lanes/critical-lane.ts';
import { Lanes } from '../lanes/lanes.ts';
import { StateLane } from '../lanes/state-lane.ts';
import { catchUp } from './catch-up.ts';

const MAX_BYTES = 400;
const FIRST: Cursor = {
  channel: 'a',
  stateSeq: 0,
  snapshot: true,
  snapshotSeq: 0,
  half: false,
  criticalSeq: 0,
};

/** What a client makes of what it gets, as docs/protocol.md has it. */
class Client {
  readonly state = new Map<string, unknown>();
  readonly critical: number[] = [];
  readonly gaps: number[] = [];
  #waiting: Map<string, unknown> | undefined;

  take(bytes: Uint8Array): void {
    for (const text of heardTexts(bytes)) this.#hear(JSON.parse(text));
  }

  // biome-ignore lint/suspicious/noExplicitAny: parsed frames.
  #hear(frame: any): void {
    if (frame.type === 'gap') this.gaps.push(frame.after);
    if (frame.type === 'critical') this.critical.push(frame.id);
    if (frame.type !== 'state') return;
    if (frame.snapshot === true) this.#waiting ??= new Map();
    const target = this.#waiting ?? this.state;
    for (const [key, value] of Object.entries(frame.set)) target.set(key, value);
    for (const key of frame.del ?? []) target.delete(key);
    if (this.#waiting === undefined || frame.more === true) return;
    this.state.clear();
    for (const [key, value] of this.#waiting) this.state.set(key, value);
    this.#waiting = undefined;
  }
}

class Bench {
  readonly client = new Client();
  request: CatchUpRequest;
  /** Bytes of the last answer. */
  bytes = 0;
  readonly lanes = new Lanes(
    new StateLane({ maxKeys: 1_000, maxBytes: 1_000_000, deletionMs: 1_000 }),
    new CriticalLane({ maxAgeMs: 1_000, maxPerChannel: 5, maxBytes: 1_000_000 }),
    new CosmeticLane({ maxPerTick: 1, maxBytesPerTick: 1 }),
  );
  readonly encoder = new Encoder(this.lanes, { maxFrameBytes: 30_000, maxCacheBytes: 100_000 });
  readonly model = new Map<string, unknown>();
  #seq = 0;
  #criticalSeq = 0;

  constructor(cursor: Partial<Cursor> = {}) {
    this.request = {
      compressed: false,
      maxBytes: MAX_BYTES,
      criticalLive: false,
      cursors: [{ ...FIRST, ...cursor }],
    };
  }

  set(key: string, value: number | undefined, timeMs = 0): void {
    const text = value === undefined ? undefined : JSON.stringify([value, 'x'.repeat(40)]);
    this.lanes.state.apply('a', { key, value: text, seq: ++this.#seq }, timeMs);
    if (text === undefined) this.model.delete(key);
    else this.model.set(key, JSON.parse(text));
  }

  critical(seq: number = this.#criticalSeq + 1): void {
    this.#criticalSeq = seq;
    this.lanes.critical.append('a', { seq, value: '"x"', timeMs: 0, storedMs: 0 });
  }

  tick(): void {
    this.encoder.tick(0);
  }

  /** The client asks, and gets the answer. */
  advance(): boolean {
    const { bytes, cursors, criticalLive, live } = catchUp(this.request, {
      source: this.encoder,
      form: (run) => run,
      limits: { criticalSeq: this.encoder.criticalSeq },
    });
    this.client.take(bytes);
    this.bytes = bytes.length;
    this.request = { ...this.request, cursors, criticalLive };
    return live;
  }

  finish(): void {
    for (let i = 0; i < 1_000; i++) if (this.advance()) return;
    throw new Error('it never becomes live');
  }
}

describe('catchUp', () => {
  it('writes no more at once than the connection may hold', () => {
    const bench = new Bench();
    for (let i = 0; i < 100; i++) bench.set(`k${i}`, i);
    bench.tick();
    while (!bench.advance()) {
      expect(bench.bytes).toBeGreaterThan(0);
      expect(bench.bytes).toBeLessThanOrEqual(MAX_BYTES);
    }
    expect(bench.client.state).toEqual(bench.model);
  });

  it('sends a snapshot if it has forgotten a deletion that the connection needs', () => {
    const bench = new Bench({ stateSeq: 2, snapshot: false });
    bench.client.state.set('gone', 1);
    bench.set('keep', 1);
    bench.set('gone', 1);
    bench.set('gone', undefined, 0);
    bench.set('new', 3);
    bench.tick();
    bench.lanes.state.forgetDeletions(5_000);
    bench.finish();
    expect([...bench.client.state.keys()].sort()).toEqual(['keep', 'new']);
  });

  it('announces critical messages that left the window before they could be sent', () => {
    const bench = new Bench();
    for (let i = 0; i < 8; i++) bench.critical();
    bench.tick();
    bench.finish();
    expect(bench.client.gaps).toEqual([0]);
    expect(bench.client.critical).toEqual([4, 5, 6, 7, 8]);
  });

  it('announces critical messages that are gone unread once, and gives what came before them', () => {
    const bench = new Bench({ toldSeq: 1 });
    bench.critical();
    bench.tick();
    bench.lanes.critical.lose(4, undefined);
    for (const seq of [5, 6]) bench.critical(seq);
    bench.tick();
    bench.request = { ...bench.request, maxBytes: 80 };
    bench.finish();
    expect([bench.client.gaps, bench.client.critical]).toEqual([[0], [1, 5, 6]]);
  });

  it('begins with the newest of before also where others are gone unread', () => {
    const bench = new Bench({ criticalSeq: 6, last: 2 });
    bench.critical();
    bench.lanes.critical.lose(4, undefined);
    bench.critical(5);
    bench.lanes.critical.lose(6, undefined);
    bench.tick();
    bench.finish();
    expect([bench.client.gaps, bench.client.critical]).toEqual([[], [1, 5]]);
  });

  it.each([
    [3, [6, 7, 8]],
    [50, [4, 5, 6, 7, 8]],
  ])('begins with the newest %d critical messages of before, and announces no gap', (last, ids) => {
    // The window keeps five.
    const bench = new Bench({ criticalSeq: 8, last });
    for (let i = 0; i < 8; i++) bench.critical();
    bench.tick();
    bench.finish();
    expect([bench.client.gaps, bench.client.critical]).toEqual([[], ids]);
  });

  it('ends an incomplete snapshot before another begins, so that clients do not merge the two', () => {
    const bench = new Bench();
    for (let i = 0; i < 40; i++) bench.set(`k${i}`, i);
    bench.tick();
    expect(bench.advance()).toBe(false);
    for (let i = 0; i < 40; i++) bench.set(`k${i}`, undefined, 0);
    bench.set('only', 1);
    bench.tick();
    bench.lanes.state.forgetDeletions(5_000);
    bench.finish();
    expect(bench.client.state).toEqual(bench.model);
  });

  it('leads every client to the state, for any events while it catches up', () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant('set' as const), key: fc.integer({ min: 0, max: 30 }) }),
      fc.record({ kind: fc.constant('delete' as const), key: fc.integer({ min: 0, max: 30 }) }),
      fc.record({ kind: fc.constantFrom('tick' as const, 'advance' as const, 'forget' as const) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const bench = new Bench();
        let nowMs = 0;
        let live = false;
        for (const [value, one] of steps.entries()) {
          if (one.kind === 'set') bench.set(`k${one.key}`, value, nowMs);
          else if (one.kind === 'delete') bench.set(`k${one.key}`, undefined, nowMs);
          else if (one.kind === 'tick') bench.tick();
          else if (one.kind === 'forget') {
            nowMs += 2_000;
            bench.tick();
            bench.lanes.state.forgetDeletions(nowMs);
          } else if (!live) live = bench.advance();
          // Once it is live the fan-out sends it the ticks; here it only begins again where it stands.
          if (live) {
            const cursor = { ...FIRST, stateSeq: bench.encoder.stateSeq, snapshot: false };
            bench.request = { ...bench.request, cursors: [cursor] };
            live = false;
          }
        }
        bench.tick();
        bench.finish();
        expect(bench.client.state).toEqual(bench.model);
      }),
    );
  });
});

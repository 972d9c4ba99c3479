import { decodePosition } from '@weir/protocol';
import { describe, expect, it } from 'vitest';
import { heardTexts } from '../fakes/client-ear.ts';
import { CosmeticLane } from '../lanes/cosmetic-lane.ts';
import { CriticalLane } from '../lanes/critical-lane.ts';
import { Lanes } from '../lanes/lanes.ts';
import { StateLane } from '../lanes/state-lane.ts';
import { Encoder } from './encoder.ts';

const makeState = (): StateLane => new StateLane({ maxKeys: 100, maxBytes: 100_000, deletionMs: 1_000 });
const makeCritical = (): CriticalLane =>
  new CriticalLane({ maxAgeMs: 1_000, maxPerChannel: 100, maxBytes: 100_000 });

/** Lanes, their encoder, and what intake does with a message of each lane. */
class Bench {
  readonly lanes = new Lanes(
    makeState(),
    makeCritical(),
    new CosmeticLane({ maxPerTick: 100, maxBytesPerTick: 10_000 }),
  );
  readonly encoder: Encoder;
  #stateSeq = 0;
  #criticalSeq = 0;

  constructor(maxCacheBytes = 10_000) {
    this.encoder = new Encoder(this.lanes, { maxFrameBytes: 30_000, maxCacheBytes });
  }

  set(channel: string, key: string, value: string | undefined): void {
    this.lanes.state.apply(channel, { key, value, seq: ++this.#stateSeq, timeMs: 0 });
  }

  critical(channel: string, value: string): void {
    const entry = { seq: ++this.#criticalSeq, value, timeMs: 0 };
    if (this.lanes.critical.append(channel, entry)) this.encoder.critical(channel, entry);
  }
}

const whole = { maxPieceBytes: 100_000 };

describe('a tick', () => {
  it('carries what changed since the last, once, by channel and lane', () => {
    const { lanes, encoder } = new Bench();
    const empty = encoder.tickBatch();
    expect([empty.channels.size, empty.fromStateSeq, empty.stateSeq]).toEqual([0, 0, 0]);
    lanes.state.apply('a', { key: 'x', value: '1', seq: 1, timeMs: 0 });
    lanes.state.apply('a', { key: 'x', value: '2', seq: 2, timeMs: 0 });
    lanes.state.apply('b', { key: 'y', value: undefined, seq: 3, timeMs: 0 });
    lanes.cosmetic.add('a', '"c"');
    const batch = encoder.tickBatch();
    expect([batch.fromStateSeq, batch.stateSeq]).toEqual([0, 3]);
    const texts = [...batch.channels].map(([channel, { critical, state, cosmetic }]) => [
      channel,
      heardTexts(critical),
      heardTexts(state),
      heardTexts(cosmetic),
    ]);
    expect(texts).toEqual([
      [
        'a',
        [],
        ['{"type":"state","channel":"a","set":{"x":2}}'],
        ['{"type":"cosmetic","channel":"a","data":["c"]}'],
      ],
      ['b', [], ['{"type":"state","channel":"b","set":{},"del":["y"]}'], []],
    ]);
    const next = encoder.tickBatch();
    expect([next.channels.size, next.fromStateSeq, next.stateSeq]).toEqual([0, 3, 3]);
  });

  it('takes critical messages that have not gone yet along, before the rest', () => {
    const bench = new Bench();
    bench.critical('a', '1');
    bench.critical('a', '2');
    bench.set('a', 'x', '1');
    expect(bench.encoder.criticalWaiting).toBe(true);
    const frames = bench.encoder.tickBatch().channels.get('a');
    expect(heardTexts(frames?.critical ?? Buffer.alloc(0))).toEqual([
      '{"type":"critical","channel":"a","id":1,"data":1}',
      '{"type":"critical","channel":"a","id":2,"data":2}',
    ]);
    expect(frames?.state.length).toBeGreaterThan(0);
    expect(bench.encoder.criticalWaiting).toBe(false);
    expect(bench.encoder.tickBatch().channels.size).toBe(0);
  });
});

describe('critical messages between ticks', () => {
  it('go in a batch of their own, which leaves the state where it was', () => {
    const bench = new Bench();
    bench.set('a', 'x', '1');
    bench.critical('a', '{"hit":1}');
    bench.critical('b', '2');
    const batch = bench.encoder.criticalBatch();
    expect([...batch.channels.keys()]).toEqual(['a', 'b']);
    expect([batch.fromStateSeq, batch.stateSeq]).toEqual([0, 0]);
    expect(
      [...batch.channels.values()].every(({ state, cosmetic }) => state.length + cosmetic.length === 0),
    ).toBe(true);
    expect([bench.encoder.criticalSeq, bench.encoder.stateSeq]).toEqual([2, 0]);
  });

  it('come by catch-up only when they have been in a batch: nobody gets one twice', () => {
    const bench = new Bench();
    bench.critical('a', '1');
    bench.encoder.criticalBatch();
    bench.critical('a', '2');
    const before = bench.encoder.criticalSince({ channel: 'a', sinceSeq: 0, ...whole });
    expect([heardTexts(before.bytes).length, before.toSeq, before.done]).toEqual([1, 1, true]);
    bench.encoder.tickBatch();
    const after = bench.encoder.criticalSince({ channel: 'a', sinceSeq: 0, ...whole });
    expect([heardTexts(after.bytes).length, after.toSeq, after.done]).toEqual([2, 2, true]);
  });

  it('come in pieces of a bounded size, at least one message each', () => {
    const bench = new Bench();
    for (let i = 0; i < 5; i++) bench.critical('a', '"0123456789"');
    bench.encoder.criticalBatch();
    const ids: number[] = [];
    let sinceSeq = 0;
    for (let done = false; !done; ) {
      const piece = bench.encoder.criticalSince({ channel: 'a', sinceSeq, maxPieceBytes: 1 });
      ids.push(...heardTexts(piece.bytes).map((text) => Number(JSON.parse(text).id)));
      ({ toSeq: sinceSeq, done } = piece);
    }
    expect(ids).toEqual([1, 2, 3, 4, 5]);
  });
});

describe('catch-up of state', () => {
  it('is the same bytes for everybody at the same cursor, until the next tick', () => {
    const bench = new Bench();
    bench.set('a', 'x', '1');
    bench.encoder.tickBatch();
    const request = { channel: 'a', sinceSeq: 0, snapshot: true, ...whole };
    const first = bench.encoder.state(request);
    expect(bench.encoder.state(request)).toBe(first);
    expect(bench.encoder.counts.cachedPieces).toBe(1);
    expect(bench.encoder.state({ ...request, snapshot: false }).bytes).not.toEqual(first.bytes);
    bench.set('a', 'x', '2');
    bench.encoder.tickBatch();
    expect(heardTexts(bench.encoder.state(request).bytes)).toEqual([
      '{"type":"state","channel":"a","snapshot":true,"set":{"x":2}}',
    ]);
  });

  it('remembers no more bytes of pieces than it may', () => {
    const bench = new Bench(10);
    bench.set('a', 'x', '1');
    const request = { channel: 'a', sinceSeq: 0, snapshot: true, ...whole };
    expect(bench.encoder.state(request)).not.toBe(bench.encoder.state(request));
    expect(bench.encoder.counts.cachedPieces).toBe(0);
  });

  it('remembers no more pieces than it may, however small they are', () => {
    const bench = new Bench(1_000);
    const at = (channel: string): unknown =>
      bench.encoder.state({ channel, sinceSeq: 5, snapshot: false, ...whole });
    for (let i = 0; i < 100; i++) at(`channel-${i}`);
    const before = bench.encoder.counts.cachedPieces;
    for (let i = 0; i < 100; i++) at(`channel-${i}`);
    expect(bench.encoder.counts.cachedPieces - before).toBeLessThan(60);
  });

  it('together with the ticks leaves no change out, wherever a client joins', () => {
    const bench = new Bench();
    const texts: string[] = [];
    bench.set('a', 'x', '1');
    bench.encoder.tickBatch();
    bench.set('a', 'y', '2');
    // Joins between two ticks: gets what the lane has now, and what the next tick carries.
    const piece = bench.encoder.state({ channel: 'a', sinceSeq: 0, snapshot: true, ...whole });
    texts.push(...heardTexts(piece.bytes));
    bench.set('a', 'z', '3');
    texts.push(...heardTexts(bench.encoder.tickBatch().channels.get('a')?.state ?? Buffer.alloc(0)));
    const client = Object.assign({}, ...texts.map((text) => JSON.parse(text).set));
    expect(client).toEqual({ x: 1, y: 2, z: 3 });
  });
});

describe('another epoch', () => {
  it('of state: nothing of the old lane is told, positions begin at the new one', () => {
    const bench = new Bench();
    bench.set('a', 'x', '1');
    bench.encoder.state({ channel: 'a', sinceSeq: 0, snapshot: true, ...whole });
    bench.lanes.state = makeState();
    bench.lanes.state.apply('a', { key: 'n', value: '9', seq: 40, timeMs: 0 });
    bench.lanes.stateEpoch = 'two';
    bench.encoder.restart('state');
    expect(bench.encoder.tickBatch().channels.size).toBe(0);
    const fresh = bench.encoder.state({ channel: 'a', sinceSeq: 0, snapshot: true, ...whole });
    expect(heardTexts(fresh.bytes)).toEqual(['{"type":"state","channel":"a","snapshot":true,"set":{"n":9}}']);
    expect(decodePosition(bench.encoder.position(['abcdef']))).toEqual({
      stateEpoch: 'two',
      stateSeq: 40,
      criticalEpoch: '0',
      criticalSeq: 0,
      channels: ['abcdef'],
    });
  });

  it('of critical: messages of the old lane that wait are dropped, those loaded are not sent again', () => {
    const bench = new Bench();
    bench.critical('a', '1');
    bench.lanes.critical = makeCritical();
    bench.lanes.critical.append('a', { seq: 7, value: '7', timeMs: 0 });
    bench.encoder.restart('critical');
    expect([bench.encoder.criticalWaiting, bench.encoder.criticalSeq]).toEqual([false, 7]);
    expect(bench.encoder.criticalBatch().channels.size).toBe(0);
  });
});

describe('a position', () => {
  it('never claims what no batch has carried', () => {
    const bench = new Bench();
    bench.set('a', 'x', '1');
    bench.critical('a', '1');
    expect(decodePosition(bench.encoder.position([]))).toMatchObject({ stateSeq: 0, criticalSeq: 0 });
    bench.encoder.criticalBatch();
    expect(decodePosition(bench.encoder.position([]))).toMatchObject({ stateSeq: 0, criticalSeq: 1 });
    bench.encoder.tickBatch();
    expect(decodePosition(bench.encoder.position([]))).toMatchObject({ stateSeq: 1, criticalSeq: 1 });
  });
});

describe('counts', () => {
  it('say what was built, once however many get it', () => {
    const bench = new Bench();
    bench.set('a', 'x', '1');
    bench.set('a', 'y', '1');
    bench.critical('a', '1');
    const frames = bench.encoder.tickBatch().channels.get('a');
    const { counts } = bench.encoder;
    expect([counts.frames, counts.stateKeys]).toEqual([2, 2]);
    expect(counts.bytes).toBe((frames?.state.length ?? 0) + (frames?.critical.length ?? 0));
  });
});

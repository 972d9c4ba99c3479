import { describe, expect, it } from 'vitest';
import { heardTexts } from '../../fakes/client-ear.ts';
import type { News } from '../hand-over/link.ts';
import { CosmeticLane } from '../lanes/cosmetic-lane.ts';
import { CriticalLane } from '../lanes/critical-lane.ts';
import { Lanes } from '../lanes/lanes.ts';
import { StateLane } from '../lanes/state-lane.ts';
import { Encoder } from './encoder.ts';

const makeState = (): StateLane => new StateLane({ maxKeys: 100, maxBytes: 100_000, deletionMs: 1_000 });
const makeCritical = (): CriticalLane =>
  new CriticalLane({ maxAgeMs: 1_000, maxPerChannel: 100, maxBytes: 100_000 });

/** What a thread gets that has had everything before. */
function framesOf(
  encoder: Encoder,
  news: News,
  from = { stateSeq: encoder.stateSeq, criticalSeq: encoder.criticalSeq },
): ReadonlyMap<string, { critical: Buffer; state: Buffer; cosmetic: Buffer }> {
  const { state, critical, cosmetic } = news;
  const none = Buffer.alloc(0);
  const channels = new Set([...critical, ...state, ...cosmetic]);
  return new Map(
    [...channels].map((channel) => [
      channel,
      {
        critical: critical.includes(channel) ? encoder.criticalRun(channel, from.criticalSeq) : none,
        state: state.includes(channel) ? encoder.stateRun(channel, from.stateSeq) : none,
        cosmetic: cosmetic.includes(channel) ? encoder.cosmeticRun(channel) : none,
      },
    ]),
  );
}

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

  /** A tick's frames, as a thread gets them that has had everything before. */
  tick(): ReturnType<typeof framesOf> {
    const { stateSeq, criticalSeq } = this.encoder;
    return framesOf(this.encoder, this.encoder.tick(0), { stateSeq, criticalSeq });
  }

  flush(): ReturnType<typeof framesOf> {
    const { stateSeq, criticalSeq } = this.encoder;
    return framesOf(this.encoder, this.encoder.flush(), { stateSeq, criticalSeq });
  }

  set(channel: string, key: string, value: string | undefined): void {
    this.lanes.state.apply(channel, { key, value, seq: ++this.#stateSeq }, 0);
  }

  critical(channel: string, value: string, seq: number = this.#criticalSeq + 1): void {
    this.#criticalSeq = seq;
    const entry = { seq, value, timeMs: 0, storedMs: 0 };
    if (this.lanes.critical.append(channel, entry)) this.encoder.critical(channel, entry);
  }
}

const whole = { maxPieceBytes: 100_000 };
const upTo = (encoder: Encoder): { upToSeq: number } => ({ upToSeq: encoder.criticalSeq });

describe('a tick', () => {
  it('contains the changes since the last tick, once, by channel and lane', () => {
    const bench = new Bench();
    const { lanes, encoder } = bench;
    expect([bench.tick().size, encoder.stateSeq]).toEqual([0, 0]);
    lanes.state.apply('a', { key: 'x', value: '1', seq: 1 }, 0);
    lanes.state.apply('a', { key: 'x', value: '2', seq: 2 }, 0);
    lanes.state.apply('b', { key: 'y', value: undefined, seq: 3 }, 0);
    lanes.cosmetic.add('a', '"c"');
    const frames = bench.tick();
    expect(encoder.stateSeq).toBe(3);
    const texts = [...frames].map(([channel, { critical, state, cosmetic }]) => [
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
    expect([bench.tick().size, encoder.stateSeq]).toEqual([0, 3]);
  });

  it('contains unsent critical messages, before the rest', () => {
    const bench = new Bench();
    bench.critical('a', '1');
    bench.critical('a', '2');
    bench.set('a', 'x', '1');
    expect(bench.encoder.criticalWaiting).toBe(true);
    const frames = bench.tick().get('a');
    expect(heardTexts(frames?.critical ?? Buffer.alloc(0))).toEqual([
      '{"type":"critical","channel":"a","id":1,"data":1}',
      '{"type":"critical","channel":"a","id":2,"data":2}',
    ]);
    expect(frames?.state.length).toBeGreaterThan(0);
    expect(bench.encoder.criticalWaiting).toBe(false);
    expect(bench.tick().size).toBe(0);
  });
});

describe('critical messages between ticks', () => {
  it('form their own batch, which does not advance the state', () => {
    const bench = new Bench();
    bench.set('a', 'x', '1');
    bench.critical('a', '{"hit":1}');
    bench.critical('b', '2');
    const frames = bench.flush();
    expect([...frames.keys()]).toEqual(['a', 'b']);
    expect([...frames.values()].every(({ state, cosmetic }) => state.length + cosmetic.length === 0)).toBe(
      true,
    );
    expect([bench.encoder.criticalSeq, bench.encoder.stateSeq]).toEqual([2, 0]);
  });

  it('are sent by catch-up only after their batch: no client gets one twice', () => {
    const bench = new Bench();
    bench.critical('a', '1');
    bench.flush();
    bench.critical('a', '2');
    const before = bench.encoder.criticalSince({
      channel: 'a',
      sinceSeq: 0,
      ...upTo(bench.encoder),
      ...whole,
    });
    expect([heardTexts(before.bytes).length, before.toSeq, before.done]).toEqual([1, 1, true]);
    bench.tick();
    const after = bench.encoder.criticalSince({
      channel: 'a',
      sinceSeq: 0,
      ...upTo(bench.encoder),
      ...whole,
    });
    expect([heardTexts(after.bytes).length, after.toSeq, after.done]).toEqual([2, 2, true]);
  });

  it('come in pieces of a bounded size, at least one message each', () => {
    const bench = new Bench();
    for (let i = 0; i < 5; i++) bench.critical('a', '"0123456789"');
    bench.flush();
    const ids: number[] = [];
    let sinceSeq = 0;
    for (let done = false; !done; ) {
      const piece = bench.encoder.criticalSince({
        channel: 'a',
        sinceSeq,
        ...upTo(bench.encoder),
        maxPieceBytes: 1,
      });
      ids.push(...heardTexts(piece.bytes).map((text) => Number(JSON.parse(text).id)));
      ({ toSeq: sinceSeq, done } = piece);
    }
    expect(ids).toEqual([1, 2, 3, 4, 5]);
  });
});

describe('catch-up of state', () => {
  const versions = (run: Buffer): readonly unknown[] => heardTexts(run).map((text) => JSON.parse(text).set);

  it('is made anew as soon as one of its keys changes: no client gets an older value than it has', () => {
    const bench = new Bench();
    bench.set('a', 'x', '1');
    bench.tick();
    const request = { channel: 'a', sinceSeq: 0, snapshot: true, ...whole };
    bench.encoder.state(request);
    bench.set('a', 'x', '2');
    expect(versions(bench.encoder.state(request).bytes)).toEqual([{ x: 2 }]);
    bench.set('a', 'y', '1');
    expect(versions(bench.encoder.state(request).bytes)).toEqual([{ x: 2, y: 1 }]);
    bench.set('a', 'x', undefined);
    expect(versions(bench.encoder.state(request).bytes)).toEqual([{ y: 1 }]);
    expect(bench.encoder.counts.cachedPieces).toBe(0);
  });

  it('stays the same bytes while only keys change that are not in the piece', () => {
    const bench = new Bench();
    for (const key of ['cold', 'warm', 'hot']) bench.set('a', key, '1');
    bench.tick();
    const request = { channel: 'a', sinceSeq: 0, snapshot: true, maxPieceBytes: 1 };
    const first = bench.encoder.state(request);
    const second = bench.encoder.state({ ...request, sinceSeq: first.toSeq });
    for (let i = 0; i < 3; i++) {
      bench.set('a', 'hot', `${i}`);
      expect(bench.encoder.state(request)).toBe(first);
    }
    bench.set('a', 'warm', '2');
    expect(bench.encoder.state(request)).toBe(first);
    expect(versions(bench.encoder.state({ ...request, sinceSeq: first.toSeq }).bytes)).toEqual([{ hot: 2 }]);
    expect(versions(second.bytes)).toEqual([{ warm: 1 }]);
  });

  it('of a channel that was forgotten and came again is that of the new one', () => {
    const bench = new Bench();
    const request = { channel: 'a', sinceSeq: 0, snapshot: true, ...whole };
    expect(versions(bench.encoder.state(request).bytes)).toEqual([{}]);
    bench.set('a', 'x', '1');
    expect(versions(bench.encoder.state(request).bytes)).toEqual([{ x: 1 }]);
  });

  it('is the same bytes for everybody at the same cursor, until the next tick', () => {
    const bench = new Bench();
    bench.set('a', 'x', '1');
    bench.tick();
    const request = { channel: 'a', sinceSeq: 0, snapshot: true, ...whole };
    const first = bench.encoder.state(request);
    expect(bench.encoder.state(request)).toBe(first);
    expect(bench.encoder.counts.cachedPieces).toBe(1);
    expect(bench.encoder.state({ ...request, snapshot: false }).bytes).not.toEqual(first.bytes);
    bench.set('a', 'x', '2');
    bench.tick();
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
    bench.tick();
    bench.set('a', 'y', '2');
    // Joins between two ticks: gets what the lane has now, and what the next tick carries.
    const piece = bench.encoder.state({ channel: 'a', sinceSeq: 0, snapshot: true, ...whole });
    texts.push(...heardTexts(piece.bytes));
    bench.set('a', 'z', '3');
    texts.push(...heardTexts(bench.tick().get('a')?.state ?? Buffer.alloc(0)));
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
    bench.lanes.state.apply('a', { key: 'n', value: '9', seq: 40 }, 0);
    bench.lanes.stateEpoch = 'two';
    bench.encoder.restart('state');
    expect(bench.tick().size).toBe(0);
    const fresh = bench.encoder.state({ channel: 'a', sinceSeq: 0, snapshot: true, ...whole });
    expect(heardTexts(fresh.bytes)).toEqual(['{"type":"state","channel":"a","snapshot":true,"set":{"n":9}}']);
    expect(bench.encoder.stateSeq).toBe(40);
  });

  it('of critical: messages of the old lane that wait are dropped, those loaded are not sent again', () => {
    const bench = new Bench();
    bench.critical('a', '1');
    bench.lanes.critical = makeCritical();
    bench.lanes.critical.append('a', { seq: 7, value: '7', timeMs: 0, storedMs: 0 });
    bench.encoder.restart('critical');
    expect([bench.encoder.criticalWaiting, bench.encoder.criticalSeq]).toEqual([false, 7]);
    expect(bench.flush().size).toBe(0);
  });
});

describe('a thread that is behind', () => {
  it('gets what changed since its own cursor, once however often it is asked for', () => {
    const bench = new Bench();
    bench.set('a', 'x', '1');
    bench.tick();
    bench.set('a', 'y', '2');
    bench.tick();
    const { frames } = bench.encoder.counts;
    const run = bench.encoder.stateRun('a', 0);
    expect(heardTexts(run)).toEqual(['{"type":"state","channel":"a","set":{"x":1,"y":2}}']);
    expect(bench.encoder.stateRun('a', 0)).toBe(run);
    expect(bench.encoder.counts.frames).toBe(frames + 1);
  });

  it('gets no value that another thread got before and that has changed since', () => {
    const bench = new Bench();
    bench.set('a', 'x', '1');
    bench.set('a', 'y', '1');
    bench.tick();
    expect(heardTexts(bench.encoder.stateRun('a', 0))).toEqual([
      '{"type":"state","channel":"a","set":{"x":1,"y":1}}',
    ]);
    bench.set('a', 'x', '2');
    const later = bench.encoder.stateRun('a', 0);
    expect(heardTexts(later)).toEqual(['{"type":"state","channel":"a","set":{"y":1}}']);
    bench.set('a', 'x', '3');
    bench.set('a', 'z', '1');
    expect(bench.encoder.stateRun('a', 0)).toBe(later);
  });

  it.each([
    ['alone in its channel', false],
    ['beside another key', true],
  ])('gets a snapshot where a deletion of the tick was forgotten before it asked: %s', (_, beside) => {
    const bench = new Bench();
    const { encoder, lanes } = bench;
    if (beside) lanes.state.apply('a', { key: 'other', value: '1', seq: 1 }, 0);
    lanes.state.apply('a', { key: 'k', value: '1', seq: 2 }, 0);
    encoder.tick(0);
    lanes.state.apply('a', { key: 'k', value: undefined, seq: 3 }, 0);
    encoder.tick(0);
    lanes.expire(60_000);
    const set = beside ? '{"other":1}' : '{}';
    expect(heardTexts(encoder.stateRun('a', 2))).toEqual([
      `{"type":"state","channel":"a","snapshot":true,"set":${set}}`,
    ]);
  });

  it('gets a snapshot where a deletion was forgotten that it has not had', () => {
    const bench = new Bench();
    bench.set('a', 'x', '1');
    bench.set('a', 'y', '1');
    bench.tick();
    bench.set('a', 'x', undefined);
    bench.tick();
    bench.lanes.state.forgetDeletions(5_000);
    bench.set('a', 'z', '1');
    bench.tick();
    expect(heardTexts(bench.encoder.stateRun('a', 2))).toEqual([
      '{"type":"state","channel":"a","snapshot":true,"set":{"y":1,"z":1}}',
    ]);
    expect(heardTexts(bench.encoder.stateRun('a', 3))).toEqual([
      '{"type":"state","channel":"a","set":{"z":1}}',
    ]);
  });

  it('gets a snapshot where a deletion was forgotten before a tick told it', () => {
    const bench = new Bench();
    for (let i = 0; i < 100; i++) bench.set('a', `k${i}`, '1');
    bench.tick();
    for (let i = 0; i < 99; i++) bench.set('a', `k${i}`, undefined);
    for (let i = 0; i < 99; i++) bench.set('b', `k${i}`, '1');
    bench.tick();
    expect(heardTexts(bench.encoder.stateRun('a', 100))).toEqual([
      '{"type":"state","channel":"a","snapshot":true,"set":{"k99":1}}',
    ]);
    bench.set('a', 'k99', '2');
    bench.tick();
    expect(heardTexts(bench.encoder.stateRun('a', 298))).toEqual([
      '{"type":"state","channel":"a","set":{"k99":2}}',
    ]);
  });

  it('gets all critical messages since its cursor, and a gap where some are lost', () => {
    const bench = new Bench();
    for (let i = 1; i <= 3; i++) {
      bench.critical('a', `${i}`);
      bench.flush();
    }
    const ids = (run: Buffer): unknown[] => heardTexts(run).map((text) => JSON.parse(text).id ?? text);
    expect(ids(bench.encoder.criticalRun('a', 1))).toEqual([2, 3]);
    bench.lanes.critical.expire(5_000);
    bench.critical('a', '4');
    bench.flush();
    expect(ids(bench.encoder.criticalRun('a', 1))).toEqual([
      '{"type":"gap","channel":"a","lane":"critical","after":1}',
      4,
    ]);
  });

  it('gets a gap, and all that the lane has since its cursor, where some are gone unread', () => {
    const bench = new Bench();
    const { encoder, lanes } = bench;
    const heard = (run: Buffer): unknown[] => heardTexts(run).map((text) => JSON.parse(text).id ?? text);
    const gap = (after: number): string => `{"type":"gap","channel":"a","lane":"critical","after":${after}}`;
    bench.critical('a', '1');
    bench.critical('a', '2');
    encoder.flush();
    lanes.critical.lose(5, undefined);
    encoder.criticalLost(undefined);
    expect(encoder.criticalWaiting).toBe(true);
    bench.critical('b', '6', 6);
    bench.critical('a', '7', 7);
    // Also a channel without news, for which nothing more may ever come.
    expect(encoder.flush()).toMatchObject({ critical: ['b', 'a'], anyCritical: true });
    expect(heard(encoder.criticalRun('a', 2))).toEqual([gap(2), 7]);
    expect(heard(encoder.criticalRun('quiet', 2))).toEqual([gap(2).replace('"a"', '"quiet"')]);
    expect(heard(encoder.criticalRun('a', 1))).toEqual([gap(1), 2, 7]);
    bench.critical('a', '8', 8);
    expect(encoder.flush()).toMatchObject({ critical: ['a'], anyCritical: false });
    expect(heard(encoder.criticalRun('a', 7))).toEqual([8]);
  });

  it('gets a gap in the channels alone that have lost something', () => {
    const bench = new Bench();
    const { encoder, lanes } = bench;
    bench.critical('a', '1');
    encoder.flush();
    lanes.critical.lose(3, ['a']);
    encoder.criticalLost(['a']);
    bench.critical('b', '4', 4);
    expect(encoder.flush()).toMatchObject({ critical: ['b', 'a'], anyCritical: false });
    expect(heardTexts(encoder.criticalRun('a', 1))).toHaveLength(1);
    expect(heardTexts(encoder.criticalRun('b', 1)).map((text) => JSON.parse(text).id)).toEqual([4]);
  });

  it('that is not behind gets what the lane could not keep', () => {
    const bench = new Bench();
    for (let i = 0; i < 150; i++) bench.critical('a', `${i}`);
    const frames = bench.flush().get('a');
    expect(heardTexts(frames?.critical ?? Buffer.alloc(0))).toHaveLength(150);
  });
});

describe('counts', () => {
  it('say what was built, once however many get it', () => {
    const bench = new Bench();
    bench.set('a', 'x', '1');
    bench.set('a', 'y', '1');
    bench.critical('a', '1');
    const frames = bench.tick().get('a');
    const { counts } = bench.encoder;
    expect([counts.frames, counts.stateKeys]).toEqual([2, 2]);
    expect(counts.bytes).toBe((frames?.state.length ?? 0) + (frames?.critical.length ?? 0));
  });
});

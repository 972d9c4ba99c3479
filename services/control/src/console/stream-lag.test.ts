import { describe, expect, it } from 'vitest';
import type { Fullness } from '../fullness/attend.ts';
import { Processes } from './processes.ts';
import { StreamLags } from './stream-lag.ts';

const full = (lastSeq: number, createdMs = 1): Fullness => ({
  bytes: 1,
  maxBytes: 0,
  messages: 1,
  maxMessages: 0,
  createdMs,
  oldestMs: 1,
  lastSeq,
});

/** The lag after control has seen these one step after the other, and shards say that they have read so far. */
function lagOf(seen: readonly (Fullness | undefined)[], read: Readonly<Record<string, number | undefined>>) {
  const processes = new Processes({ max: 10, silentMs: 1_000 });
  for (const [id, seq] of Object.entries(read)) {
    const series = seq === undefined ? {} : { 'weir_shard_stream_sequence{stream="state"}': seq };
    const figures = { v: 1, service: 'shard', id, version: '1', upMs: 1, limits: {}, series } as const;
    processes.take(figures, { nowMs: 0, wallMs: 0, bytes: 10 });
  }
  const lags = new StreamLags();
  for (const fullness of seen) lags.step(['state'], () => fullness);
  return lags.of('state', processes.of('shard'));
}

describe('StreamLags', () => {
  it('names the shard that has read the least, and what it lacks', () => {
    const read = { a: 1_000, b: 400, c: 900 };
    expect(lagOf([full(1_000), full(1_000), full(1_000)], read)).toEqual({ messages: 600, shard: 'b' });
  });

  it('counts no message that was stored after the shards were asked', () => {
    expect(lagOf([full(1_000), full(1_500), full(2_000)], { a: 1_000 })).toEqual({
      messages: 0,
      shard: undefined,
    });
  });

  it('is not known before three steps, without the stream, after it began anew, or if no shard tells', () => {
    expect(lagOf([full(5), full(5)], { a: 1 })).toBeUndefined();
    expect(lagOf([full(5), full(5), undefined], { a: 1 })).toBeUndefined();
    expect(lagOf([full(900), full(5, 2), full(5, 2)], { a: 5 })).toBeUndefined();
    expect(lagOf([full(5), full(5), full(5)], { old: undefined })).toBeUndefined();
    expect(lagOf([full(5), full(5), full(5)], {})).toBeUndefined();
  });

  it('leaves out shards of an earlier release, and does not count what a stream has lost', () => {
    expect(lagOf([full(5), full(5), full(5)], { old: undefined, a: 3 })).toEqual({ messages: 2, shard: 'a' });
    expect(lagOf([full(900), full(5), full(5)], { a: 5 })).toEqual({ messages: 0, shard: undefined });
  });
});

import { createLogger } from '@weir/runtime';
import { describe, expect, it } from 'vitest';
import { LostState } from '../lanes/lost-state.ts';
import { StateLane } from '../lanes/state-lane.ts';
import { Losses } from './losses.ts';

function lossesOf(values: readonly string[]): Losses {
  const limits = { maxKeys: 10_000, maxBytes: 1e7 };
  const before = new StateLane({ ...limits, deletionMs: 1_000 });
  for (const [i, value] of values.entries())
    before.apply('odds.live', { key: `k${i}`, value, seq: i + 1 }, 0);
  const kept = new LostState({ ...limits, keepMs: 1_000, ratio: 0.1 });
  kept.replaced(before, new StateLane({ ...limits, deletionMs: 1_000 }), 0);
  return new Losses(kept, createLogger({ service: 'test', level: 'silent' }));
}

function textOf(body: string | Iterable<Uint8Array>): { text: string; pieces: readonly number[] } {
  const pieces = typeof body === 'string' ? [Buffer.from(body)] : [...body];
  return { text: Buffer.concat(pieces).toString('utf8'), pieces: pieces.map(({ length }) => length) };
}

describe('losses', () => {
  it('answers with the publishers’ own bytes, a message a line', () => {
    const value = Buffer.from('{"name":"Žluťoučký 🐎","n":1.0}').toString('latin1');
    const { status, body } = lossesOf([value, '7']).answer();
    expect(status).toBe(200);
    expect(textOf(body).text).toBe(
      '{"lane":"state","channel":"odds.live","key":"k0","data":{"name":"Žluťoučký 🐎","n":1.0}}\n' +
        '{"lane":"state","channel":"odds.live","key":"k1","data":7}\n',
    );
  });

  it('makes its answer in pieces, for any size', () => {
    const { body } = lossesOf(Array.from({ length: 5_000 }, () => `"${'x'.repeat(200)}"`)).answer();
    const { text, pieces } = textOf(body);
    expect(text.split('\n')).toHaveLength(5_001);
    expect(pieces.length).toBeGreaterThan(10);
    expect(Math.max(...pieces)).toBeLessThan(70_000);
  });

  it('skips keys that have returned while the answer was read', () => {
    const losses = lossesOf(Array.from({ length: 2_000 }, () => `"${'x'.repeat(200)}"`));
    const { body } = losses.answer();
    if (typeof body === 'string') throw new Error('it is not in pieces');
    const lines: string[] = [];
    for (const piece of body) {
      lines.push(...Buffer.from(piece).toString().trimEnd().split('\n'));
      for (let i = 0; i < 2_000; i++) losses.kept.back('odds.live', `k${i}`);
    }
    expect(lines.length).toBeGreaterThan(100);
    expect(lines.length).toBeLessThan(400);
    expect(losses.kept.keys).toBe(0);
  });

  it('answers nothing without a loss, and reports the number of discarded keys', () => {
    const losses = lossesOf(['1', '2']);
    expect(losses.discard().body).toBe('{"discarded":2}\n');
    expect(losses.discard().body).toBe('{"discarded":0}\n');
    expect(textOf(losses.answer().body).text).toBe('');
  });
});

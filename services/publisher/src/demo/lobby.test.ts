import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { makeMessage } from '../parse/parse-message.ts';
import { Lobby } from './lobby.ts';

/** A generator of numbers that is the same for the same seed (mulberry32). */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

const lobby = (seed: number) => new Lobby({ channel: 'lobby', random: seeded(seed), firstHit: 100 });

describe('Lobby', () => {
  it('plays the same game for the same randomness', () => {
    const [a, b] = [lobby(1), lobby(1)];
    for (let turn = 0; turn < 20; turn++) expect(a.next()).toEqual(b.next());
  });

  it('makes about 2 KB a turn', () => {
    const game = lobby(2);
    game.next();
    const turns = 1_000;
    let bytes = 0;
    for (let i = 0; i < turns; i++) bytes += game.next().reduce((sum, { data }) => sum + data.length, 0);
    expect(bytes / turns).toBeGreaterThan(1_500);
    expect(bytes / turns).toBeLessThan(2_500);
  });

  it('sends only valid messages', () => {
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const game = lobby(seed);
        for (let turn = 0; turn < 20; turn++) {
          for (const { address, data } of game.next()) {
            const parts = { ...address, data: data.length === 0 ? undefined : data };
            expect(makeMessage(parts)).toHaveProperty('value');
          }
        }
      }),
      { numRuns: 20 },
    );
  });

  it('has a bounded set of keys, which come and go', () => {
    const game = lobby(3);
    const seen = new Map<string, Set<boolean>>();
    for (let turn = 0; turn < 2_000; turn++) {
      for (const { address, data } of game.next()) {
        if (address.lane !== 'state') continue;
        const states = seen.get(address.key) ?? new Set();
        seen.set(address.key, states.add(data.length > 0));
      }
    }
    expect(seen.size).toBeLessThanOrEqual(80);
    const both = [...seen.values()].filter((states) => states.size === 2);
    expect(both.length).toBeGreaterThan(30);
  });

  it('sends everything at first, deletions included, and again on request', () => {
    const game = lobby(4);
    const keysOf = () =>
      game.next().flatMap(({ address }) => (address.lane === 'state' ? [address.key] : []));
    const all = keysOf();
    expect(new Set(all).size).toBe(76);
    expect(keysOf().length).toBeLessThan(60);
    game.sayAll();
    expect(keysOf()).toEqual(all);
  });

  it('numbers jackpot hits without a gap, one every few seconds', () => {
    const game = lobby(5);
    const hits: number[] = [];
    for (let turn = 0; turn < 2_000; turn++) {
      for (const { address, data } of game.next()) {
        if (address.lane === 'critical') hits.push(JSON.parse(Buffer.from(data).toString()).hit);
      }
    }
    expect(hits).toEqual(hits.map((_, i) => 100 + i));
    // 1,000 seconds.
    expect(hits.length).toBeGreaterThan(100);
    expect(hits.length).toBeLessThan(500);
  });
});

// What a router's own hint carries beside what a shard's does.
import { describe, expect, it } from 'vitest';
import type { Hint } from './ticket.ts';
import { issueHint, parseTicketKeys, verifyHint } from './ticket.ts';

const keys = parseTicketKeys(`k:${Buffer.alloc(32, 7).toString('base64url')}`);
const nowMs = 1_700_000_000_000;

async function roundTrip(hint: Hint): Promise<unknown> {
  const [key] = keys;
  if (key === undefined) throw new Error('no key');
  const text = await issueHint(hint, { key, nowMs, ttlMs: 600_000 });
  const verified = await verifyHint(text, { keys, nowMs });
  return verified.ok ? verified.value : verified.problem;
}

describe('a hint', () => {
  it('of a router allows nothing and is bound to a network', async () => {
    const hint: Hint = { id: 'h', pool: 'desktop', allow: [], network: 'n1', rttMs: 12.5, kbps: 9000 };
    expect(await roundTrip(hint)).toEqual(hint);
  });

  it('may ask for a new measurement', async () => {
    const hint: Hint = { id: 'h', pool: 'mobile', allow: ['>'], avoid: 'd1', measure: true };
    expect(await roundTrip(hint)).toEqual(hint);
  });

  it('passes on how the client was moved, and what it wants', async () => {
    const history = { stayedMs: 61_000, moves: 2, kept: true };
    const hint: Hint = { id: 'h', pool: 'tablet', allow: ['>'], measure: true, ceiling: 'tablet', history };
    expect(await roundTrip(hint)).toEqual(hint);
  });

  it('passes on what a shard found', async () => {
    const thresholds = { kbps: 2_000, rttMs: 270 };
    const finding = { class: 'fast', confidence: 'high', rttMs: 62, kbps: 3_400, thresholds } as const;
    const hint: Hint = { id: 'h', pool: 'mobile', allow: ['>'], measure: true, finding };
    expect(await roundTrip(hint)).toEqual(hint);
  });

  it('that does not ask for one says nothing of it', async () => {
    expect(await roundTrip({ id: 'h', pool: 'mobile', allow: ['a'] })).toEqual({
      id: 'h',
      pool: 'mobile',
      allow: ['a'],
    });
  });
});

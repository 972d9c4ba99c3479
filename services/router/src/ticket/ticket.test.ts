import { limits, parseTicketKeys, verifyHint, verifyTicket } from '@weir/protocol';
import { describe, expect, it } from 'vitest';
import { createSigner, fitPatterns } from './ticket.ts';

const nowMs = 1_700_000_000_000;
const keyText = (id: string, fill: number): string => `${id}:${Buffer.alloc(32, fill).toString('base64url')}`;
const keys = parseTicketKeys(`${keyText('new', 2)},${keyText('old', 1)}`);
let counter = 0;
const signerWith = (which: typeof keys) =>
  createSigner({
    keys: which,
    ticketTtlMs: 30_000,
    hintTtlMs: 600_000,
    clock: { wallMs: () => nowMs },
    random: (bytes) => Buffer.alloc(bytes, counter++),
  });
const signer = signerWith(keys);
const request = {
  pool: 'desktop',
  shard: 'd1',
  channels: ['lobby'],
  denied: ['vip'],
  allow: ['lobby', 'sports.>'],
  tls: true,
  incarnation: 'i1',
  ceiling: undefined,
  history: undefined,
  finding: undefined,
  network: '192.0.2.1',
  tokenExpiresS: 1_700_000_100,
};

describe('a ticket', () => {
  it('is valid for one shard and for the configured time, and has its own id', async () => {
    const [a, b] = await Promise.all([signer.ticket(request), signer.ticket(request)]);
    const verify = (token: string, atMs: number) =>
      verifyTicket(token, { keys, nowMs: atMs, pool: 'desktop', shard: 'd1' });
    const [first, second] = [await verify(a, nowMs), await verify(b, nowMs)];
    const { ceiling: _, history: __, finding: ___, network, ...said } = request;
    expect(first).toMatchObject({ ok: true, value: { ...said, id: expect.any(String) } });
    expect(first.ok && signer.isFrom({ ...first.value }, network)).toBe(true);
    expect(first.ok && signer.isFrom({ ...first.value }, '192.0.2.2')).toBe(false);
    expect(Buffer.from(a.split('.')[1] ?? '', 'base64url').toString()).not.toContain(network);
    expect(first).not.toHaveProperty('value.ceiling');
    expect(first).not.toHaveProperty('value.history');
    expect(first.ok && second.ok && first.value.id !== second.value.id).toBe(true);
    expect(await verify(a, nowMs + 30_000 + limits.clockToleranceMs + 1_000)).toMatchObject({ ok: false });
    expect(await verifyTicket(a, { keys, nowMs, pool: 'desktop', shard: 'd2' })).toMatchObject({ ok: false });
  });
});

describe('the move of a client', () => {
  const history = { stayedMs: 5_000, moves: 3, kept: true };

  it('is in its ticket, with the pool that it asked for', async () => {
    const text = await signer.ticket({ ...request, ceiling: 'desktop', history });
    const verified = await verifyTicket(text, { keys, nowMs, pool: 'desktop', shard: 'd1' });
    expect(verified).toMatchObject({ ok: true, value: { ceiling: 'desktop', history } });
  });

  it('is in its ticket, with the result of the router', async () => {
    const finding = { class: 'slow', confidence: 'low', thresholds: { kbps: 2_000, rttMs: 270 } } as const;
    const text = await signer.ticket({ ...request, finding });
    const verified = await verifyTicket(text, { keys, nowMs, pool: 'desktop', shard: 'd1' });
    expect(verified).toMatchObject({ ok: true, value: { finding } });
  });

  it('is in its hint', async () => {
    const measured = { pool: 'mobile', rttMs: undefined, kbps: undefined, network: 'n1', history };
    const verified = await verifyHint(await signer.hint(measured), { keys, nowMs });
    expect(verified).toMatchObject({ ok: true, value: { pool: 'mobile', history } });
  });
});

describe('a hint', () => {
  it('contains the measurement, grants nothing, and hides the address', async () => {
    const text = await signer.hint({
      pool: 'desktop',
      rttMs: 12.345,
      kbps: 9_000.7,
      network: '192.0.2.1',
      history: undefined,
    });
    const verified = await verifyHint(text, { keys, nowMs });
    expect(verified).toMatchObject({
      ok: true,
      value: { pool: 'desktop', rttMs: 12.3, kbps: 9001, allow: [] },
    });
    expect(Buffer.from(text.split('.')[1] ?? '', 'base64url').toString()).not.toContain('192.0.2.1');
  });

  it('counts for the measured network alone, also after a key rotation', async () => {
    const text = await signerWith(keys.slice(1)).hint({
      pool: 'desktop',
      rttMs: undefined,
      kbps: undefined,
      network: 'n1',
      history: undefined,
    });
    const verified = await verifyHint(text, { keys, nowMs });
    if (!verified.ok) throw new Error('not verified');
    expect([signer.isFrom(verified.value, 'n1'), signer.isFrom(verified.value, 'n2')]).toEqual([true, false]);
  });

  it('of an earlier release counts for every network', () => {
    expect(signer.isFrom({ id: 'h', pool: 'desktop', allow: ['>'] }, 'n2')).toBe(true);
  });
});

describe('the patterns in a ticket', () => {
  it('are all patterns if they fit, without duplicates', () => {
    expect(fitPatterns(['b', 'a', 'b'], ['a'])).toEqual(['a', 'b']);
  });

  it('begin with the patterns that cover the requested channels', () => {
    const many = Array.from({ length: 500 }, (_, i) => `channel-${i}`);
    const fitting = fitPatterns([...many, 'sports.*'], ['sports.1', 'channel-499']);
    expect(fitting.slice(0, 2)).toEqual(['channel-499', 'sports.*']);
    expect(fitting.length).toBeLessThanOrEqual(limits.channelsPerConnection);
    expect(fitting.join().length + 1).toBeLessThanOrEqual(limits.allowChars);
  });
});

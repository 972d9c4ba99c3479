import { describe, expect, it } from 'vitest';
import { limits } from './limits.ts';
import { moveUrl, paths, secured, streamUrl, subprotocol } from './paths.ts';
import { channelHash, encodePosition } from './position.ts';
import { issueHint, issueTicket, parseTicketKeys } from './ticket.ts';

/** As many names as fit into `chars`, each with its comma. */
function names(chars: number, count: number): string[] {
  const length = Math.floor(chars / count) - 1;
  return Array.from({ length: count }, (_, i) => `${i}`.padStart(length, 'c'));
}

describe('URLs', () => {
  it('have the paths of the contract', () => {
    expect(paths).toEqual({ connect: '/v1/connect', stream: '/v1/stream' });
    expect(streamUrl('ws://shard:1', 't')).toBe('ws://shard:1/v1/stream?ticket=t');
    expect(moveUrl('wss://router', ['a', 'b.c'], 'h')).toBe('wss://router/v1/connect?channels=a,b.c&hint=h');
  });

  it('are wss where the client came by TLS, and otherwise as they were', () => {
    expect(secured('ws://a/b?ws://', true)).toBe('wss://a/b?ws://');
    expect(secured('wss://a', true)).toBe('wss://a');
    expect(secured('wss://a', false)).toBe('wss://a');
    expect(secured('ws://a', false)).toBe('ws://a');
  });

  it.each([8, 20, 50, limits.channelsPerConnection])(
    'stay below the limit with %i channels, however long everything in them is',
    async (count) => {
      const kid = 'k'.repeat(64);
      const [key] = parseTicketKeys(`${kid}:${'A'.repeat(43)}`);
      if (key === undefined) throw new Error('no key');
      const channels = names(limits.channelsChars, count);
      const allow = names(limits.allowChars, Math.min(count, 50));
      const id = 'i'.repeat(64);
      const longest = 'x'.repeat(limits.keyChars);
      const signing = { key, nowMs: 1_764_000_000_000, ttlMs: limits.ticketTtlMs };
      const ticket = await issueTicket(
        { id, pool: longest, shard: longest, channels, allow, denied: [], tls: true },
        signing,
      );
      const position = encodePosition({
        stateEpoch: 'e'.repeat(40),
        stateSeq: Number.MAX_SAFE_INTEGER,
        criticalEpoch: 'e'.repeat(40),
        criticalSeq: Number.MAX_SAFE_INTEGER,
        channels: channels.map(channelHash),
      });
      const base = `wss://${'h'.repeat(limits.baseUrlChars - 6)}`;
      expect(`${streamUrl(base, ticket)}&resume=${position}`.length).toBeLessThanOrEqual(limits.urlBytes);
      const hint = await issueHint(
        { id, pool: longest, allow, avoid: longest, rttMs: 12.345, kbps: 1e6 },
        signing,
      );
      expect(moveUrl(base, channels, hint).length).toBeLessThanOrEqual(limits.urlBytes);
    },
  );
});

describe('subprotocol', () => {
  it('is made of characters that an HTTP token may have', () => {
    expect(`${subprotocol.version}${subprotocol.tokenPrefix}`).toMatch(/^[A-Za-z0-9.]+$/);
  });
});

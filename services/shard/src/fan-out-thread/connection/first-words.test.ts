import { channelHash, decodePosition } from '@weir/protocol';
import { describe, expect, it } from 'vitest';
import type { ChannelStart } from '../../port/messages.ts';
import { firstWords } from './first-words.ts';

const start = { stateSeq: 7, snapshot: false, criticalSeq: 5, gap: undefined };
const ticket = {
  id: 't',
  pool: 'p',
  channels: ['a', 'b'],
  allow: ['>'],
  denied: ['c'],
  tls: false,
} as const;
const position = {
  stateEpoch: 's',
  stateSeq: 7,
  criticalEpoch: 'c',
  criticalSeq: 5,
  channels: ['a', 'b'].map(channelHash),
};

function words(starts: readonly ChannelStart[]): readonly { readonly type: string; readonly pos?: string }[] {
  const where = {
    session: 'x',
    pool: 'p',
    shardId: 's',
    tickMs: 50,
    beatMs: 15_000,
    criticalLastMax: 100,
    expiresInMs: 60_000,
  };
  return firstWords({ ...where, ticket, position, starts, criticalEpoch: 'new' });
}

describe('the first messages', () => {
  it('are the welcome, the denied channels, and the gaps', () => {
    const gap = { after: 3, reset: false };
    const said = words([
      { channel: 'a', ...start, gap },
      { channel: 'b', ...start },
    ]);
    expect(said).toEqual([
      expect.objectContaining({
        type: 'welcome',
        beatMs: 15_000,
        lastMax: 100,
        expiresInMs: 60_000,
        resumed: false,
      }),
      { type: 'error', code: 'CHANNEL_FORBIDDEN', channel: 'c' },
      { type: 'gap', channel: 'a', lane: 'critical', after: 3 },
    ]);
    expect(words([{ channel: 'a', ...start }])[0]).toMatchObject({ resumed: true });
  });

  it('end with a position if ids restart: from the earliest channel on, and of critical messages alone', () => {
    const gap = { after: 90, reset: true };
    const said = words([
      { channel: 'a', ...start, gap, criticalSeq: 4 },
      { channel: 'b', ...start, gap, criticalSeq: 9 },
    ]);
    expect(said.map(({ type }) => type)).toEqual(['welcome', 'error', 'gap', 'gap', 'position']);
    const at = decodePosition(said.at(-1)?.pos ?? '');
    expect(at).toMatchObject({ criticalEpoch: 'new', criticalSeq: 4, stateEpoch: '-' });
    expect(at?.channels).toHaveLength(2);
  });

  it('end with a position if a client that comes back has a channel that its own does not cover', () => {
    const said = words([
      { channel: 'a', ...start },
      { channel: 'new', ...start, snapshot: true, criticalSeq: 9 },
    ]);
    expect(said.map(({ type }) => type)).toEqual(['welcome', 'error', 'position']);
    const at = decodePosition(said.at(-1)?.pos ?? '');
    expect(at).toMatchObject({ criticalEpoch: 'new', criticalSeq: 5, stateEpoch: '-' });
    expect(at?.channels).toEqual(['a', 'new'].map(channelHash));
  });
});

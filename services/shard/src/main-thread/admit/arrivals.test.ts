import type { Position } from '@weir/protocol';
import { channelHash } from '@weir/protocol';
import { describe, expect, it } from 'vitest';
import type { Arriving } from '../../port/messages.ts';
import { Arrivals } from './arrivals.ts';

const position: Position = {
  stateEpoch: 's',
  stateSeq: 1,
  criticalEpoch: 'c',
  criticalSeq: 1,
  channels: [channelHash('a')],
};

/** A shard of one channel without state, whose networks may draw 1,000 bytes. `missedBytes` come after any position. */
function setUp(bytes: { readonly missedBytes?: number; readonly lastBytes?: number }): {
  use: (asked: Partial<Arriving>) => string;
} {
  const arrivals = new Arrivals({
    maxUsedTickets: 100,
    draws: { networkDrawBytesPerSecond: 1, networkDrawBurstBytes: 1_000, maxNetworks: 10 },
    snapshotBytes: () => 0,
    criticalBytes: (_channel, which) =>
      'last' in which ? which.last * (bytes.lastBytes ?? 0) : (bytes.missedBytes ?? 0),
    isAhead: () => false,
    startOf: (channel, { position: shown, last }) => ({
      channel,
      stateSeq: 1,
      snapshot: shown === undefined,
      criticalSeq: shown?.criticalSeq ?? 9,
      last: shown === undefined ? last : undefined,
      gap: undefined,
    }),
    poke: () => undefined,
    nowMs: () => 0,
    sleep: async () => undefined,
  });
  let tickets = 0;
  return {
    use(asked) {
      const arrived = arrivals.judge({
        ticketId: `${++tickets}`,
        expiresInMs: 1_000,
        channels: ['a'],
        position: undefined,
        last: undefined,
        network: 'one',
        ...asked,
      });
      if (arrived instanceof Promise) throw new Error('it waits');
      return arrived.use;
    },
  };
}

describe('Arrivals: the bytes that a network draws by connecting', () => {
  it('counts the critical messages that a client requests', () => {
    const { use } = setUp({ lastBytes: 100 });
    const uses = [use({ last: 10 }), use({ last: 10 }), use({}), use({ last: 10, network: 'two' })];
    expect(uses).toEqual(['first', 'drawsTooMuch', 'first', 'first']);
  });

  it('counts the messages after an old position, each time that it is used', () => {
    const { use } = setUp({ missedBytes: 65_537 });
    expect([use({ position }), use({ position })]).toEqual(['first', 'drawsTooMuch']);
  });

  it('delays no client that was away for a moment', () => {
    const { use } = setUp({ missedBytes: 65_536, lastBytes: 100 });
    const uses = [use({ last: 100 }), use({ position, last: 100 }), use({ position })];
    expect(uses).toEqual(['first', 'first', 'first']);
  });
});

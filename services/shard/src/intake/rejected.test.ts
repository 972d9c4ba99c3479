import type { MsgHdrs } from '@nats-io/transport-node';
import type { NatsLink } from '@weir/runtime';
import { describe, expect, it } from 'vitest';
import { Rejected } from './rejected.ts';

interface Copy {
  readonly subject: string;
  readonly bytes: number;
  readonly reason: string | undefined;
  readonly from: string | undefined;
}

function setUp(): { copies: Copy[]; rejected: Rejected; clock: { nowMs: number }; link: { away: boolean } } {
  const copies: Copy[] = [];
  const clock = { nowMs: 0 };
  const state = { away: false };
  const link: Pick<NatsLink, 'publish'> = {
    publish: (subject, payload, options) => {
      if (state.away) return 'disconnected';
      const about: MsgHdrs | undefined = options?.headers;
      copies.push({
        subject,
        bytes: payload.length,
        reason: about?.get('Weir-Reason'),
        from: about?.get('Weir-Subject'),
      });
      return 'sent';
    },
  };
  return {
    copies,
    clock,
    link: state,
    rejected: new Rejected(link as NatsLink, 'weir.rejected', () => clock.nowMs),
  };
}

const bad = { subject: 'weir.state.lobby.a', data: Buffer.from('{') };

describe('Rejected', () => {
  it('copies a message with the reason and where it came from', () => {
    const { copies, rejected } = setUp();
    expect(rejected.copy(bad, 'notJson')).toBe(true);
    expect(copies).toEqual([
      { subject: 'weir.rejected', bytes: 1, reason: 'notJson', from: 'weir.state.lobby.a' },
    ]);
  });

  it('copies no more than twenty a second, and again in the next', () => {
    const { copies, rejected, clock } = setUp();
    for (let i = 0; i < 100; i++) rejected.copy(bad, 'notJson');
    expect(copies).toHaveLength(20);
    clock.nowMs = 999;
    expect(rejected.copy(bad, 'notJson')).toBe(false);
    clock.nowMs = 1_000;
    expect(rejected.copy(bad, 'notJson')).toBe(true);
  });

  it('copies no more than 16 KB of a message', () => {
    const { copies, rejected } = setUp();
    rejected.copy({ ...bad, data: Buffer.alloc(1_000_000) }, 'tooLarge');
    expect(copies[0]?.bytes).toBe(16_384);
  });

  it('says so where NATS is away', () => {
    const { rejected, link } = setUp();
    link.away = true;
    expect(rejected.copy(bad, 'notJson')).toBe(false);
  });
});

import type { MsgHdrs } from '@nats-io/transport-node';
import type { Logger, NatsLink } from '@weir/runtime';
import { describe, expect, it } from 'vitest';
import { Rejected } from './rejected.ts';

interface Copy {
  readonly subject: string;
  readonly bytes: number;
  readonly reason: string | undefined;
  readonly from: string | undefined;
}

function setUp(): {
  copies: Copy[];
  lines: Record<string, unknown>[];
  rejected: Rejected;
  clock: { nowMs: number };
} {
  const copies: Copy[] = [];
  const lines: Record<string, unknown>[] = [];
  const clock = { nowMs: 0 };
  const link: Pick<NatsLink, 'publish'> = {
    publish: (subject, payload, options) => {
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
  const logger = { warn: (about: Record<string, unknown>) => lines.push(about) };
  return {
    copies,
    lines,
    clock,
    rejected: new Rejected(link as NatsLink, logger as unknown as Logger, 'weir.rejected', () => clock.nowMs),
  };
}

const bad = { subject: 'weir.state.lobby.a', data: Buffer.from('{') };

describe('Rejected', () => {
  it('copies a message with its reason and its origin', () => {
    const { copies, rejected } = setUp();
    rejected.report(bad, 'state', 'notJson');
    expect(copies).toEqual([
      { subject: 'weir.rejected', bytes: 1, reason: 'notJson', from: 'weir.state.lobby.a' },
    ]);
  });

  it('copies no more than twenty a second of a reason, and again in the next', () => {
    const { copies, rejected, clock } = setUp();
    for (let i = 0; i < 100; i++) rejected.report(bad, 'state', 'notJson');
    expect(copies).toHaveLength(20);
    clock.nowMs = 999;
    rejected.report(bad, 'state', 'notJson');
    expect(copies).toHaveLength(20);
    clock.nowMs = 1_000;
    rejected.report(bad, 'state', 'notJson');
    expect(copies).toHaveLength(21);
  });

  it('copies no more than 16 KB of a message', () => {
    const { copies, rejected } = setUp();
    rejected.report({ ...bad, data: Buffer.alloc(1_000_000) }, 'state', 'tooLarge');
    expect(copies[0]?.bytes).toBe(16_384);
  });

  it('logs the subject and the first 80 bytes, with dots for unprintable ones', () => {
    const { lines, rejected } = setUp();
    const data = Buffer.concat([Buffer.from([0x7b, 0x00, 0x0a, 0xff]), Buffer.alloc(200, 'x')]);
    rejected.report({ subject: 'weir.state.lobby.a', data }, 'state', 'notUtf8');
    expect(lines).toEqual([
      {
        lane: 'state',
        reason: 'notUtf8',
        subject: 'weir.state.lobby.a',
        data: `{...${'x'.repeat(76)}`,
        bytes: 204,
        suppressed: 0,
      },
    ]);
  });

  it('does not let a flood of one reason hide another one, in copies or in lines', () => {
    const { copies, lines, rejected, clock } = setUp();
    for (let i = 0; i < 1_000; i++) rejected.report(bad, 'state', 'notJson');
    rejected.report({ subject: 'weir.state.x', data: bad.data }, 'state', 'subject');
    rejected.report({ subject: 'weir.critical.x', data: Buffer.alloc(0) }, 'critical', 'empty');
    expect(copies.slice(20).map(({ reason }) => reason)).toEqual(['subject', 'empty']);
    expect(lines.map(({ reason }) => reason)).toEqual(['notJson', 'subject', 'empty']);
    clock.nowMs = 1_000;
    rejected.report(bad, 'state', 'notJson');
    expect(lines.at(-1)).toMatchObject({ reason: 'notJson', suppressed: 999 });
  });
});

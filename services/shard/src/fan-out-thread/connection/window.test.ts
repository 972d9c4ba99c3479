// The window against a simulated link, by the real fan-out: how fast a snapshot is whole, and how much waits meanwhile.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { FarLink } from '../../fakes/far-client.ts';
import { FarClient } from '../../fakes/far-client.ts';
import type { FlowLimits } from './policy.ts';

const mobile: FlowLimits = { softBytes: 32_768, hardBytes: 131_072, windowBytes: 16_777_216, lagMs: 20_000 };
const desktop: FlowLimits = { ...mobile, softBytes: 131_072, hardBytes: 524_288, lagMs: 10_000 };

const linkOf = (kbps: number, rttMs: number): FarLink => ({ bytesPerMs: kbps / 8, rttMs });

interface Found {
  readonly tookMs: number;
  readonly idealMs: number;
  readonly queuedBytes: number;
  readonly oldestMs: number;
}

/** A first snapshot of so many bytes, with a critical message of 200 B five times a second. */
function snapshot(link: FarLink, limits: FlowLimits, bytes: number): Found {
  const client = new FarClient(link, limits, bytes);
  const feed = (): void => {
    client.critical();
    client.after(200, feed);
  };
  client.after(100, feed);
  client.start();
  const beganMs = client.nowMs;
  client.runUntilWhole(1e6);
  expect(client.evicted).toEqual([]);
  return {
    tookMs: (client.wholeMs ?? Number.POSITIVE_INFINITY) - beganMs,
    idealMs: bytes / link.bytesPerMs,
    queuedBytes: client.mostQueuedBytes,
    oldestMs: Math.max(0, ...client.agesMs),
  };
}

/** Up to three windows of the smallest pipe, or two round trips and what the shard takes, wait on the way. */
function mostQueued({ bytesPerMs, rttMs }: FarLink, { softBytes }: FlowLimits): number {
  return Math.max(softBytes, 2 * bytesPerMs * (rttMs + 40)) + softBytes / 2;
}

const kbps = fc.double({ min: Math.log(32), max: Math.log(100_000), noNaN: true }).map(Math.exp);
const rttMs = fc.integer({ min: 10, max: 800 });

describe('a snapshot', () => {
  it('is complete within 1.5 times its time on the link and seven round trips, on any link', () => {
    const bytes = fc.constantFrom(100_000, 2_000_000, 20_000_000);
    fc.assert(
      fc.property(kbps, rttMs, bytes, fc.boolean(), (rate, rtt, size, slowPool) => {
        const link = linkOf(rate, rtt);
        // A pool for fast networks has pieces that such a link carries for longer than a client may be silent.
        const limits = slowPool || rate < 256 ? mobile : desktop;
        fc.pre(size / link.bytesPerMs < 120_000);
        const { tookMs, idealMs, queuedBytes } = snapshot(link, limits, size);
        expect(tookMs).toBeLessThan(1.5 * idealMs + 7 * rtt + 100);
        expect(queuedBytes).toBeLessThan(mostQueued(link, limits));
      }),
      { numRuns: 150 },
    );
  });

  it.each([
    [256, 600],
    [1_000, 100],
    [1_000, 800],
    [10_000, 300],
    [10_000, 800],
    [20_000, 600],
    [100_000, 100],
  ])('of a minute of the link (%d kbit/s, %d ms) takes at most 1.15 minutes', (rate, rtt) => {
    const link = linkOf(rate, rtt);
    const { tookMs, idealMs } = snapshot(link, mobile, link.bytesPerMs * 60_000);
    expect(tookMs / idealMs).toBeLessThan(1.15);
  });

  it('is sent one piece at a time on a short slow link, so that its values are new', () => {
    const { queuedBytes, oldestMs } = snapshot(linkOf(80, 100), mobile, 500_000);
    // One piece of 16 KB, the next at a quarter of the soft limit, and a few critical messages.
    expect(queuedBytes).toBeLessThan(26_000);
    expect(oldestMs).toBeLessThan(2_700);
  });

  it('delays critical messages only by the bytes under way', () => {
    fc.assert(
      fc.property(kbps, rttMs, (rate, rtt) => {
        const link = linkOf(rate, rtt);
        const { oldestMs } = snapshot(link, mobile, Math.min(20_000_000, link.bytesPerMs * 30_000));
        expect(oldestMs).toBeLessThan(mostQueued(link, mobile) / link.bytesPerMs + rtt / 2 + 1);
      }),
      { numRuns: 50 },
    );
  });
});

describe('a link that changes', () => {
  /** Bytes that wait for the link at the end of each second, from the change on. */
  function change(before: FarLink, after: FarLink, seconds: number): { client: FarClient; told: number[] } {
    const client = new FarClient(before, desktop, 1e12);
    client.start();
    client.run(15_000);
    client.link = after;
    const told: number[] = [];
    for (let s = 0; s < seconds; s++) {
      const leftBytes = client.stateBytes;
      client.run(1_000);
      told.push(leftBytes - client.stateBytes);
    }
    return { client, told };
  }

  it('to a twentieth of its rate gets nothing more until its queue is short, then a window of a twentieth', () => {
    const { client, told } = change(linkOf(20_000, 300), linkOf(1_000, 300), 40);
    // About 1.5 MB were under way, which take twelve seconds now.
    expect(told.slice(1, 10)).toEqual(Array.from({ length: 9 }, () => 0));
    expect(client.evicted).toEqual([]);
    expect(client.connection.delivery.window?.bytes(desktop)).toBeLessThan(2.5 * 125 * 320);
  });

  it('to ten times its distance is full again within a minute', () => {
    const { client, told } = change(linkOf(10_000, 50), linkOf(10_000, 500), 60);
    expect(client.evicted).toEqual([]);
    const perSecond = told.slice(-10).reduce((sum, bytes) => sum + bytes, 0) / 10;
    expect(perSecond).toBeGreaterThan(0.8 * 1_250_000);
  });

  it('stays full without a swing at the longest distance', () => {
    const steady = linkOf(10_000, 800);
    const { told } = change(steady, steady, 60);
    const windows = Array.from({ length: 6 }, (_, i) =>
      told.slice(10 * i, 10 * i + 10).reduce((sum, bytes) => sum + bytes, 0),
    );
    for (const bytes of windows) expect(bytes / 12_500_000).toBeGreaterThan(0.95);
  });
});

describe('critical messages', () => {
  it.each([32, 80, 1_000])(
    'of 300 KB at once reach a client that takes %d kbit/s, and it is not let go',
    (rate) => {
      const client = new FarClient(linkOf(rate, 200), mobile, 40_000);
      client.start();
      client.runUntilWhole(60_000);
      for (let i = 0; i < 60; i++) client.critical(5_000);
      client.run(120_000);
      expect(client.evicted).toEqual([]);
      expect(client.agesMs).toHaveLength(60);
      expect(client.connection.delivery.state).toBe('live');
    },
  );
});

describe('a client that stops reading', () => {
  it('is evicted for its lag, and nothing more is written meanwhile', () => {
    const client = new FarClient(linkOf(20_000, 100), desktop, 1e9);
    client.start();
    client.run(5_000);
    client.link = { bytesPerMs: 1e-9, rttMs: 1e9 };
    const leftBytes = client.stateBytes;
    client.run(30_000);
    expect(client.evicted).toEqual(['lag']);
    // A window, no more: about two round trips of what the link carried, and what the shard takes.
    expect(leftBytes - client.stateBytes).toBeLessThan(2_500 * 3 * 120);
  });

  it('is evicted earlier if critical messages wait for room', () => {
    const client = new FarClient(linkOf(20_000, 100), desktop, 1e9);
    client.start();
    client.run(5_000);
    client.link = { bytesPerMs: 1e-9, rttMs: 1e9 };
    const feed = (): void => {
      client.critical(50_000);
      client.after(100, feed);
    };
    feed();
    client.run(30_000);
    expect(client.evicted).toEqual(['hardBytes']);
  });
});

// Each thing that can be wrong is one sentence; nothing wrong is none.
import { describe, expect, it } from 'vitest';
import type { Facts } from './findings.ts';
import { findings, Steady } from './findings.ts';
import type { PoolView, ShardView } from './view.ts';

const shard: ShardView = {
  shard: 'a',
  pool: 'desktop',
  clients: 10,
  capacity: 100,
  states: { flowing: 10 },
  backlogBytes: 0,
  bytesPerSecond: 0,
  framesPerSecond: 0,
  loop: 0.1,
  lateMs: 1,
  lagMs: 5,
  upMs: 1_000,
  version: '0.1.0',
  memoryBytes: 1,
  draining: false,
  stale: false,
  ready: true,
};
const pool: PoolView = {
  pool: 'desktop',
  shards: 1,
  serving: 1,
  clients: 10,
  capacity: 100,
  states: { flowing: 10 },
  framesPerSecond: 0,
  bytesPerSecond: 0,
  backlogBytes: 0,
  lagMs: 5,
  lag95Ms: 9,
  backlog: [],
  softBytes: 1,
  hardBytes: 2,
};
const about = { version: '0.1.0', upMs: 1, memoryBytes: 1, nats: true };
const stream = {
  stream: 'state',
  seen: true,
  fill: 0.1,
  bytes: 1,
  maxBytes: 10,
  messages: 1,
  perSecond: 0,
  ageMs: 0,
  createdMs: 0,
  lastSeq: 1,
  behind: 0,
  lag: 0,
  slowest: undefined,
};
const scaler = {
  name: 'h',
  pool: 'desktop',
  min: 1,
  max: 4,
  current: 4,
  wanted: 4,
  metrics: [],
  why: ['no metrics'],
  active: true,
  limited: false,
};
const fine: Facts = {
  nats: 'heard',
  pools: [pool],
  shards: [shard],
  routers: [{ ...about, id: 'r', connectsPerSecond: 0, pending: 0, refusedPerSecond: 0 }],
  publishers: [],
  streams: [stream],
  rejected: [{ name: 'notJson', minute: 0, hour: 3 }],
  closes: [{ name: 'left', minute: 100, hour: 100 }],
  scalers: [scaler],
  lost: [],
  notStored: 0,
  notPlaced: 0,
  knownPools: ['desktop'],
};

describe('what is wrong', () => {
  it('is nothing where all is fine', () => {
    expect(findings(fine)).toEqual([]);
  });

  it.each([
    [{ nats: 'away' }, 'bad', 'NATS is away'],
    [{ lost: [{ shard: 'b', pool: 'p', clients: 312, atMs: 0, back: false }] }, 'bad', 'It had 312 clients.'],
    [{ lost: [{ shard: 'b', pool: 'p', clients: 1, atMs: 0, back: true }] }, 'warn', 'It is back.'],
    [{ knownPools: ['desktop', 'mobile'] }, 'bad', 'Pool mobile has no shard.'],
    [{ pools: [{ ...pool, serving: 0 }] }, 'bad', 'No shard of pool desktop takes clients.'],
    [{ pools: [{ ...pool, clients: 90 }] }, 'warn', 'nearly full'],
    [{ pools: [{ ...pool, clients: 100 }] }, 'bad', 'nearly full'],
    [{ pools: [{ ...pool, states: { congested: 5 } }] }, 'warn', 'held back'],
    [{ shards: [{ ...shard, stale: true }] }, 'bad', 'less than was published'],
    [{ shards: [{ ...shard, ready: false }] }, 'warn', 'takes no clients'],
    [{ shards: [{ ...shard, lateMs: 100 }] }, 'warn', 'ticks of shard a are late'],
    [{ shards: [{ ...shard, loop: 0.95 }] }, 'warn', 'nearly always busy'],
    [{ shards: [shard, { ...shard, version: '0.2.0' }] }, 'warn', 'Releases 0.1.0 and 0.2.0'],
    [{ streams: [{ ...stream, fill: 0.8 }] }, 'warn', 'nearly full'],
    [{ streams: [{ ...stream, fill: 0.96 }] }, 'bad', 'nearly full'],
    [{ streams: [{ ...stream, seen: false }] }, 'bad', 'cannot see the stream'],
    [{ notStored: 1 }, 'bad', 'do not store everything'],
    [{ rejected: [{ name: 'notJson', minute: 1, hour: 1 }] }, 'warn', 'cannot be broadcast (notJson)'],
    [{ closes: [{ name: 'lag', minute: 5, hour: 5 }] }, 'warn', 'do not keep up (lag)'],
    [{ routers: [] }, 'warn', 'No router answers'],
    [{ notPlaced: 1 }, 'bad', 'find no shard'],
    [{ scalers: [{ ...scaler, active: false }] }, 'warn', 'cannot read its metrics'],
    [{ scalers: [{ ...scaler, limited: true }] }, 'warn', 'as many shards as its autoscaler'],
  ] as const)('%j', (over, level, words) => {
    expect(findings({ ...fine, ...over })).toEqual([
      expect.objectContaining({ level, text: expect.stringContaining(words) }),
    ]);
  });

  it.each([
    { shards: [{ ...shard, draining: true, ready: false, stale: true }] },
    { closes: [{ name: 'lag', minute: 4, hour: 4 }] },
    { pools: [{ ...pool, states: { congested: 4 } }] },
    { scalers: undefined },
    { scalers: [{ ...scaler, limited: true, current: 2 }] },
  ])('is nothing with %j', (over) => {
    expect(findings({ ...fine, ...over })).toEqual([]);
  });

  it('has what is bad first, and is bounded', () => {
    const shards = Array.from({ length: 50 }, (_, i) => ({
      ...shard,
      shard: `s${i}`,
      ready: i > 0,
      stale: i === 49,
    }));
    const found = findings({
      ...fine,
      shards: shards.map((one) => ({ ...one, ready: false })),
      notPlaced: 1,
    });
    expect(found).toHaveLength(20);
    expect(found.map(({ level }) => level).slice(0, 3)).toEqual(['bad', 'bad', 'warn']);
  });

  it('is a warning when it has lasted three steps', () => {
    const steady = new Steady();
    const found = findings({ ...fine, shards: [{ ...shard, loop: 1 }], notPlaced: 1 });
    expect([1, 2, 3, 4].map(() => steady.of(found).length)).toEqual([1, 1, 2, 2]);
    steady.of([]);
    expect(steady.of(found)).toHaveLength(1);
  });
});

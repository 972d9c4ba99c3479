import { expect, it } from 'vitest';
import type { TopView } from './text.ts';
import { topText } from './text.ts';

const shard = {
  shard: 'desktop-1',
  pool: 'desktop',
  clients: 7,
  capacity: 4_000,
  backlogBytes: 12_345,
  bytesPerSecond: 999,
  framesPerSecond: 41.6,
  loop: 0.123,
  lateMs: 1_500,
  lagMs: 12.4,
  draining: false,
  stale: false,
  ready: true,
};
const view: TopView = {
  atMs: 0,
  nats: 'heard',
  total: { clients: 9, shards: 2, publishedPerSecond: 80.2, framesPerSecond: 50, bytesPerSecond: 2_000_000 },
  findings: [{ level: 'bad', text: 'Pool mobile has no shard.' }],
  pools: [],
  shards: [shard, { ...shard, shard: 'm', pool: 'mobile', draining: true, lagMs: 3 }],
};

it('shows the cluster, what is wrong, and each shard on a line', () => {
  expect(topText(view, { columns: 200, rows: 40 }).split('\n')).toEqual([
    `${new Date(0).toTimeString().slice(0, 8)}  9 clients on 2 shards  published 80/s  frames 50/s  2.0M/s  lag 95% -`,
    '!! Pool mobile has no shard.',
    '',
    'SHARD      POOL     STATE   CLIENTS  FRAMES/S  BYTES/S  BACKLOG  LAG 95%  LOOP  LATE',
    'desktop-1  desktop  serves   7/4000        42     999B    12.3K     12ms   12%  1.5s',
    'm          mobile   drains   7/4000        42     999B    12.3K      3ms   12%  1.5s',
  ]);
});

it('obeys nothing that it shows', () => {
  const findings = [{ level: 'bad', text: 'Pool \u001b[2Jmobile\n has no shard.' }];
  const text = topText({ ...view, findings }, { columns: 200, rows: 40 });
  expect(text).toContain('!! Pool .[2Jmobile. has no shard.');
});

it('fits into the terminal', () => {
  const shards = Array.from({ length: 100 }, (_, i) => ({ ...shard, shard: `s${i}` }));
  const lines = topText({ ...view, shards, nats: 'away' }, { columns: 40, rows: 20 }).split('\n');
  expect(lines.length).toBeLessThanOrEqual(20);
  expect(Math.max(...lines.map(({ length }) => length))).toBeLessThanOrEqual(40);
  expect(lines.at(-1)).toBe('and 85 more');
});

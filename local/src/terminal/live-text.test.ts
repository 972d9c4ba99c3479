import { expect, it } from 'vitest';
import type { TopView } from '../top/text.ts';
import { liveText } from './live-text.ts';

const view: TopView = {
  atMs: 0,
  nats: 'heard',
  total: {
    clients: 9,
    shards: 2,
    publishedPerSecond: 80.2,
    framesPerSecond: 50,
    bytesPerSecond: 2_000_000,
    lag95Ms: 12.4,
  },
  findings: [],
  pools: [
    { pool: 'desktop', clients: 7, backlogBytes: 12_000 },
    { pool: 'mobile', clients: 2, backlogBytes: 345 },
  ],
  shards: [],
};

it('says how many clients there are, what is published, and how far behind they are', () => {
  expect(liveText(view, 200)).toBe(
    '9 clients (desktop 7, mobile 2)  80 messages/s  backlog 12.3K  lag 95% 12ms',
  );
});

it('says what is wrong', () => {
  const findings = [{ level: 'bad', text: 'Pool mobile has no shard.' }];
  const total = { ...view.total, clients: 1, lag95Ms: undefined };
  expect(liveText({ ...view, total, pools: [], nats: 'away', findings }, 200)).toBe(
    '1 client  80 messages/s  backlog 0B  lag 95% -  NATS IS AWAY  ! Pool mobile has no shard.',
  );
});

it('fits into a narrow terminal', () => {
  expect(liveText(view, 20)).toBe('9 clients (desktop 7');
  expect(liveText(view, -1)).toBe('');
});

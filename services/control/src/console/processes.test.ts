// What processes answer: growth and rates, restarts, silence, and a limit.
import type { Figures } from '@weir/fleet';
import { expect, it } from 'vitest';
import { Counted } from './counted.ts';
import { Processes, perSecond } from './processes.ts';
import { RejectedSubjects } from './rejected.ts';

function figures(id: string, upMs: number, series: Readonly<Record<string, number>>): Figures {
  return { v: 1, service: 'shard', id, version: '1', upMs, limits: {}, series };
}
const at = (nowMs: number, wallMs: number, bytes = 100) => ({ nowMs, wallMs, bytes });
const closes = (n: number): Record<string, number> => ({ 'weir_shard_closes_total{cause="left"}': n });

it('rates are growth by time; a first answer has grown by nothing', () => {
  const processes = new Processes({ max: 10, silentMs: 7_000 });
  processes.take(figures('a', 60_000, closes(100)), at(0, 0));
  expect(perSecond(processes.get('shard', 'a'), 'weir_shard_closes_total')).toBe(0);
  processes.take(figures('a', 62_000, closes(110)), at(2_000, 0));
  expect(perSecond(processes.get('shard', 'a'), 'weir_shard_closes_total')).toBe(5);
});

it('a process that was started again has grown by all that it shows', () => {
  const processes = new Processes({ max: 10, silentMs: 7_000 });
  processes.take(figures('a', 60_000, closes(100)), at(0, 60_000));
  processes.take(figures('a', 1_000, closes(101)), at(2_000, 62_000));
  expect(processes.collect()('shard').get('a')).toEqual(closes(101));
  expect(processes.get('shard', 'a')?.startedMs).toBe(61_000);
});

it('what a shard delivered half a minute ago is no lag of now', () => {
  const processes = new Processes({ max: 10, silentMs: 7_000 });
  const bucket = 'weir_shard_delivery_lag_seconds_bucket{le="0.5"}';
  const lagAfter = (ms: number, delivered: number): number | undefined => {
    processes.take(figures('a', ms, { [bucket]: delivered }), at(ms, 0));
    return processes.get('shard', 'a')?.lag.size;
  };
  expect(lagAfter(2_000, 0)).toBe(0);
  expect(lagAfter(4_000, 1_000_000)).toBe(1);
  for (let ms = 6_000; ms <= 34_000; ms += 2_000) expect(lagAfter(ms, 1_000_000)).toBe(1);
  expect(lagAfter(36_000, 1_000_000)).toBe(0);
  expect(lagAfter(38_000, 1_000_001)).toBe(1);
});

it('growth is collected once, however many answers came', () => {
  const processes = new Processes({ max: 10, silentMs: 7_000 });
  for (const n of [1, 3, 7]) processes.take(figures('a', 1_000 * n, closes(n)), at(1_000 * n, 0));
  expect(processes.collect()('shard').get('a')).toEqual(closes(6));
  expect(processes.collect()('shard').size).toBe(0);
});

it('silent processes are forgotten, and too many are not taken', () => {
  const processes = new Processes({ max: 2, silentMs: 7_000 });
  const taken = ['a', 'b', 'c', 'a'].map((id) => processes.take(figures(id, 1, {}), at(0, 0)));
  expect(taken).toEqual(['taken', 'taken', 'full', 'taken']);
  processes.take(figures('b', 2, {}), at(6_000, 0));
  processes.forget(8_000);
  expect(processes.of('shard').map(({ figures: { id } }) => id)).toEqual(['b']);
});

it('the answers of all processes together are bounded, and forgotten ones make room', () => {
  const processes = new Processes({ max: 100, silentMs: 7_000 });
  const large = (id: string, nowMs: number): string =>
    processes.take(figures(id, nowMs, {}), at(nowMs, 0, 60_000));
  const first = Array.from({ length: 100 }, (_, n) => large(`s${n}`, 0));
  expect(first.filter((outcome) => outcome === 'taken')).toHaveLength(14);
  expect(large('s0', 6_000)).toBe('taken');
  expect(processes.take(figures('s0', 6_001, {}), at(6_001, 0))).toBe('taken');
  expect(large('s99', 6_002)).toBe('taken');
  processes.forget(8_000);
  expect(processes.of('shard').map(({ figures: { id } }) => id)).toEqual(['s0', 's99']);
  expect(Array.from({ length: 20 }, (_, n) => large(`t${n}`, 8_000))).toContain('taken');
});

it('counts are of the last minute and the last hour, and what all shards hear counts once', () => {
  const counted = new Counted({ size: 1_800, everyMs: 2_000 });
  const heard = { 'weir_shard_intake_rejected_total{lane="state",reason="notJson"}': 4 };
  const grown = new Map([
    ['a', { ...closes(2), ...heard }],
    ['b', { ...closes(1), ...heard }],
  ]);
  counted.addShards(grown, 'a');
  counted.step();
  for (let i = 0; i < 30; i++) counted.step();
  counted.add('close', 'lag', 5);
  counted.step();
  expect(counted.of('close')).toEqual([
    { name: 'lag', minute: 5, hour: 5 },
    { name: 'left', minute: 0, hour: 3 },
  ]);
  expect(counted.of('reject')).toEqual([{ name: 'notJson', minute: 0, hour: 4 }]);
  expect([counted.ofMinute('close'), counted.of('move')]).toEqual([5, []]);
});

it('subjects of rejected messages are bounded, printable, and counted once for all shards', () => {
  const subjects = new RejectedSubjects();
  for (let i = 0; i < 6; i++)
    subjects.hear({ subject: 'weir.state.a', reason: 'notJson', shards: 3, wallMs: i });
  expect(subjects.list(10)).toEqual([{ subject: 'weir.state.a', reason: 'notJson', atLeast: 2, lastMs: 5 }]);
  for (let i = 0; i < 500; i++)
    subjects.hear({ subject: `weir.${i}\n`, reason: '<b>', shards: 1, wallMs: i });
  expect(subjects.list(1_000)).toHaveLength(100);
  expect(subjects.list(1)).toEqual([{ subject: 'weir.499.', reason: 'other', atLeast: 1, lastMs: 499 }]);
});

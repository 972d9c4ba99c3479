import { encodeBeat } from '@weir/fleet';
import { beatOf } from '@weir/fleet/fakes';
import { describe, expect, it } from 'vitest';
import { SharedPace } from './shared-pace.ts';

/** A shard `own` of which the pool may move 600 clients a second, and beats of others. */
function setUp() {
  const clock = { nowMs: 1_000 };
  const changes: number[] = [];
  const pace = new SharedPace({ shardId: 'own', movesPerSecond: 600, nowMs: () => clock.nowMs });
  pace.onChange = () => changes.push(pace.movesPerSecond);
  const beat = (shard: string, about: { draining?: boolean; connections?: number } = {}): void =>
    pace.heard(
      encodeBeat(
        beatOf(shard, { connections: 100, capacity: 1_000, draining: true, ready: false, ...about }),
      ),
    );
  return { clock, pace, changes, beat };
}

describe('a shared pace', () => {
  it('belongs to a shard that drains alone', () => {
    const { pace, changes, beat } = setUp();
    expect([pace.shards, pace.movesPerSecond]).toEqual([0, 600]);
    pace.listen(undefined, '');
    beat('own');
    beat('serving', { draining: false });
    beat('empty', { connections: 0 });
    expect([pace.shards, pace.movesPerSecond, changes]).toEqual([1, 600, []]);
  });

  it('is divided among the draining shards with clients, as they begin and end', () => {
    const { pace, changes, beat } = setUp();
    pace.listen(undefined, '');
    beat('b');
    beat('c');
    beat('b');
    expect([pace.shards, changes]).toEqual([3, [300, 200]]);
    beat('c', { connections: 0 });
    // Started again under its name.
    beat('b', { draining: false });
    expect([pace.shards, changes]).toEqual([1, [300, 200, 300, 600]]);
  });

  it('is freed by a shard that ended without a last beat', () => {
    const { clock, pace, changes, beat } = setUp();
    pace.listen(undefined, '');
    beat('b');
    beat('own');
    clock.nowMs += 3_000;
    beat('own');
    expect(pace.shards).toBe(2);
    clock.nowMs += 1;
    beat('own');
    expect([pace.shards, changes]).toEqual([1, [300, 600]]);
  });

  it('stays divided while NATS is away: the others drain without beats', () => {
    const { clock, pace, beat } = setUp();
    pace.listen(undefined, '');
    beat('b');
    clock.nowMs += 60_000;
    expect(pace.movesPerSecond).toBe(300);
    // Back: whose beat comes first is chance.
    beat('own');
    expect(pace.movesPerSecond).toBe(300);
    beat('b');
    for (let s = 0; s < 3; s++) {
      clock.nowMs += 1_000;
      beat('own');
    }
    expect(pace.movesPerSecond).toBe(300);
    clock.nowMs += 1_000;
    beat('own');
    expect(pace.movesPerSecond).toBe(600);
  });

  it('accepts only beats, and a limited number of names', () => {
    const { pace, beat } = setUp();
    pace.listen(undefined, '');
    pace.heard(new TextEncoder().encode('{"draining":true}'));
    for (let i = 0; i < 1_100; i++) beat(`s${i}`);
    expect(pace.shards).toBe(1_001);
  });

  it('takes messages of its subscription, and ignores errors', () => {
    const { pace } = setUp();
    let deliver: (error: Error | null, message: { data: Uint8Array }) => void = () => undefined;
    const subjects: string[] = [];
    pace.listen(
      {
        subscribe: (subject, { callback }) => {
          subjects.push(subject);
          deliver = callback;
        },
      },
      'weir.ctl.beat.desktop.*',
    );
    deliver(new Error('permissions'), { data: new Uint8Array() });
    expect([subjects, pace.shards]).toEqual([['weir.ctl.beat.desktop.*'], 1]);
  });
});

import type { Msg } from '@nats-io/transport-node';
import { describe, expect, it } from 'vitest';
import { guarded } from './feed.ts';

const message = { subject: 'a' } as Msg;

describe('guarded', () => {
  it('passes messages on, and reports everything else without throwing', () => {
    const taken: string[] = [];
    const faults: unknown[] = [];
    const broken = new Error('broken');
    const refused = new Error('permissions violation');
    const callback = guarded(
      ({ subject }) => {
        if (taken.length === 1) throw broken;
        taken.push(subject);
      },
      (fault) => faults.push(fault),
    );
    callback(null, message);
    callback(null, message);
    callback(refused, message);
    expect([taken, faults]).toEqual([['a'], [broken, refused]]);
  });
});

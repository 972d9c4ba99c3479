import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { streamConfig } from '../fakes/fake-jetstream.ts';
import type { StreamDefinition } from './stream-plan.ts';
import { newStream, planUpdate } from './stream-plan.ts';

const definition: StreamDefinition = {
  name: 'S',
  subjects: ['a.>'],
  storage: 'file',
  maxMsgsPerSubject: 10,
  maxAgeMs: 60_000,
  maxBytes: 1_000,
  duplicateWindowMs: 1_000,
  discard: 'old',
  allowDirect: true,
  republish: { src: 'a.>', dest: 'live.a.>' },
  replicas: 1,
};
const inPlace = streamConfig(newStream(definition));

describe('planUpdate', () => {
  it('has nothing to do for a stream that it made', () => {
    expect(planUpdate(inPlace, definition)).toEqual({ changes: {}, larger: [] });
  });

  it('raises limits that are too low, to ours', () => {
    const lower = streamConfig({
      ...inPlace,
      max_age: 1e9,
      max_bytes: 999,
      max_msgs_per_subject: 9,
      max_msgs: 5,
      max_msg_size: 5,
      duplicate_window: 1,
      num_replicas: 1,
    });
    expect(planUpdate(lower, { ...definition, replicas: 3 }).changes).toEqual({
      max_age: 60e9,
      max_bytes: 1_000,
      max_msgs_per_subject: 10,
      max_msgs: -1,
      max_msg_size: -1,
      duplicate_window: 1e9,
      num_replicas: 3,
    });
  });

  it('keeps larger limits and says how to lower them', () => {
    const larger = streamConfig({ ...inPlace, max_age: 120e9, max_bytes: -1 });
    expect(planUpdate(larger, definition)).toEqual({
      changes: {},
      larger: [
        { setting: 'max_age', inPlace: 120e9, ours: 60e9, toLower: 'nats stream edit S --max-age=60s' },
        { setting: 'max_bytes', inPlace: -1, ours: 1_000, toLower: 'nats stream edit S --max-bytes=1000' },
      ],
    });
  });

  it('sets a limit exactly if the definition says so', () => {
    const exact: StreamDefinition = { ...definition, maxMsgsPerSubject: 1, exact: ['maxMsgsPerSubject'] };
    for (const max_msgs_per_subject of [-1, 5]) {
      const plan = planUpdate(streamConfig({ ...inPlace, max_msgs_per_subject }), exact);
      expect(plan).toEqual({ changes: { max_msgs_per_subject: 1 }, larger: [] });
    }
  });

  it('fixes structure', () => {
    const crooked = streamConfig({
      name: 'S',
      subjects: ['a.b.>'],
      no_ack: true,
      republish: { src: 'a.>', dest: 'live.a.>', headers_only: true },
      discard_new_per_subject: true,
    });
    expect(
      planUpdate(crooked, { ...definition, maxMsgsPerSubject: -1, maxAgeMs: 0, discard: 'new' }).changes,
    ).toEqual({
      subjects: ['a.>'],
      republish: { src: 'a.>', dest: 'live.a.>' },
      allow_direct: true,
      no_ack: false,
      discard: 'new',
      discard_new_per_subject: false,
    });
    const more = streamConfig({ ...inPlace, subjects: ['b', 'a.>'] });
    expect(planUpdate(more, definition).changes).toEqual({});
  });

  it('detects a stream that cannot be ours', () => {
    const conflictOf = (given: Partial<typeof inPlace>) =>
      planUpdate(streamConfig({ ...inPlace, ...given }), definition);
    expect(conflictOf({ subjects: ['orders.>'] }).conflict).toContain('other subjects (orders.>)');
    expect(conflictOf({ subjects: ['a'] }).conflict).toContain('other subjects (a)');
    expect(conflictOf({ sealed: true }).conflict).toContain('sealed');
    expect(conflictOf({ mirror: { name: 'X' }, subjects: [] }).conflict).toContain('mirror');
    for (const subject of ['a.b', 'a.*', '*.b', '>', '*.>']) {
      expect(conflictOf({ subjects: [subject] }).conflict, subject).toBeUndefined();
    }
  });

  it('never lowers a limit, and has nothing left to do after its own changes, for any existing stream', () => {
    const limit = fc.oneof(fc.constant(-1), fc.integer({ min: 1, max: 2_000 }));
    const any = fc.record({
      max_age: fc.nat(2_000),
      max_bytes: limit,
      max_msgs_per_subject: limit,
      max_msgs: limit,
    });
    fc.assert(
      fc.property(any, limit, fc.nat(2), limit, (given, maxBytes, maxAgeMs, maxMsgsPerSubject) => {
        const current = streamConfig({ ...inPlace, ...given });
        const wanted = { ...definition, maxBytes, maxAgeMs, maxMsgsPerSubject };
        const { changes } = planUpdate(current, wanted);
        const after = streamConfig({ ...current, ...changes });
        const size = (value: number): number => (value <= 0 ? Number.POSITIVE_INFINITY : value);
        for (const key of ['max_age', 'max_bytes', 'max_msgs_per_subject', 'max_msgs'] as const) {
          expect(size(after[key])).toBeGreaterThanOrEqual(size(current[key]));
        }
        expect(planUpdate(after, wanted).changes).toEqual({});
      }),
    );
  });
});

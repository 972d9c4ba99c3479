import { describe, expect, it } from 'vitest';
import { streamDefinitions } from './streams.ts';
import { createSubjects } from './subjects.ts';

describe('streamDefinitions', () => {
  it('keeps the latest value of every key for ever, and refuses rather than forgets', () => {
    const { state } = streamDefinitions(createSubjects());
    expect(state).toMatchObject({
      name: 'WEIR_STATE',
      subjects: ['weir.state.>'],
      maxMsgsPerSubject: 1,
      maxAgeMs: 0,
      discard: 'new',
      exact: ['maxMsgsPerSubject'],
      republish: { src: 'weir.state.>', dest: 'weir.live.state.>' },
    });
  });

  it('keeps critical messages for ten minutes, 10,000 a channel, unless told otherwise', () => {
    const subjects = createSubjects();
    expect(streamDefinitions(subjects).critical).toMatchObject({
      name: 'WEIR_CRITICAL',
      subjects: ['weir.critical.>'],
      maxMsgsPerSubject: 10_000,
      maxAgeMs: 600_000,
      discard: 'old',
      republish: { src: 'weir.critical.>', dest: 'weir.live.critical.>' },
    });
    const limits = { criticalMaxAgeMs: 1, criticalMaxPerChannel: 2, maxBytes: 3, replicas: 3 };
    expect(streamDefinitions(subjects, limits).critical).toMatchObject({
      maxMsgsPerSubject: 2,
      maxAgeMs: 1,
      maxBytes: 3,
      replicas: 3,
    });
  });

  it('names the streams after the prefix, with nothing that a stream name must not have', () => {
    const { state, critical } = streamDefinitions(createSubjects('acme.live-1'));
    expect([state.name, critical.name]).toEqual(['ACME_LIVE-1_STATE', 'ACME_LIVE-1_CRITICAL']);
  });

  it('republishes to where no stream listens', () => {
    const subjects = createSubjects('a.b');
    const { state, critical } = streamDefinitions(subjects);
    for (const { republish } of [state, critical]) {
      expect(republish.dest.startsWith('a.b.live.')).toBe(true);
      expect(subjects.parse(republish.dest.replace('>', 'c.k'))).toBeUndefined();
    }
  });
});

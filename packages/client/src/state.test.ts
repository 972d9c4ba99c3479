import type { StateMessage } from '@weir/protocol';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ChannelState } from './state.ts';

const frame = (text: string): StateMessage => JSON.parse(`{"type":"state","channel":"lobby",${text}}`);
const applied = (...frames: string[]): ChannelState => {
  const state = new ChannelState();
  for (const text of frames) state.apply(frame(text));
  return state;
};

describe('the state of a channel', () => {
  it('keeps the newest value of every key', () => {
    const state = applied(
      '"snapshot":true,"set":{"a":1,"b":2}',
      '"set":{"a":3},"del":["b"]',
      '"set":{"c":[]}',
    );
    expect([...state.map]).toEqual([
      ['a', 3],
      ['c', []],
    ]);
  });
  it('collects a snapshot of several frames and replaces the state at the last one', () => {
    const state = applied('"snapshot":true,"set":{"old":1,"kept":{"x":1}}');
    state.changes.take();
    const kept = state.map.get('kept');
    state.apply(frame('"snapshot":true,"more":true,"set":{"kept":{"x":1}}'));
    expect(state.map.has('old')).toBe(true);
    state.apply(frame('"snapshot":true,"more":true,"set":{"new":1}'));
    expect(state.changes.empty).toBe(true);
    expect(state.apply(frame('"snapshot":true,"set":{"last":1}'))).toBe('complete');
    expect([...state.map.keys()].sort()).toEqual(['kept', 'last', 'new']);
    expect(state.map.get('kept')).toBe(kept);
    expect(state.changes.take()).toEqual({
      type: 'state',
      set: new Map([
        ['new', 1],
        ['last', 1],
      ]),
      del: ['old'],
      snapshot: true,
    });
  });
  it('applies changes between the frames of a snapshot to the snapshot', () => {
    const state = applied(
      '"snapshot":true,"more":true,"set":{"a":1,"b":1}',
      '"set":{"a":2},"del":["b"]',
      '"snapshot":true,"set":{"c":1}',
    );
    expect([...state.map]).toEqual([
      ['a', 2],
      ['c', 1],
    ]);
  });
  it('drops an incomplete snapshot when the stream changes', () => {
    const state = applied('"snapshot":true,"more":true,"set":{"half":1}');
    state.forgetHalf();
    state.apply(frame('"set":{"a":1}'));
    expect([...state.map]).toEqual([['a', 1]]);
  });
  it('announces an empty snapshot, and no unchanged value', () => {
    const state = applied('"snapshot":true,"set":{}');
    expect(state.changes.take()).toMatchObject({ snapshot: true, del: [] });
    state.apply(frame('"set":{"a":{"b":[1]}}'));
    state.changes.take();
    state.apply(frame('"set":{"a":{"b":[1]}},"del":["never"]'));
    expect(state.changes.empty).toBe(true);
  });
  it('takes names of object members as ordinary keys (case A5)', () => {
    const keys = ['__proto__', 'constructor', 'toString', 'hasOwnProperty', '10', '-', '_'];
    const body = keys
      .map((key) => `${JSON.stringify(key)}:{"polluted":1,"__proto__":{"polluted":1}}`)
      .join(',');
    const state = applied(`"snapshot":true,"set":{${body}}`);
    expect([...state.map.keys()].sort()).toEqual([...keys].sort());
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
    expect(state.map.has('valueOf')).toBe(false);
    expect(state.changes.take().set.size).toBe(keys.length);
    state.apply(frame('"set":{},"del":["__proto__","constructor","10"]'));
    expect([...state.map.keys()].sort()).toEqual(['-', '_', 'hasOwnProperty', 'toString']);
  });
  it('accepts frames without their optional parts', () => {
    expect(applied('"x":1').map.size).toBe(0);
  });
  it('equals a plain model, and its changes lead from any earlier state to the present one', () => {
    const key = fc.constantFrom('a', 'b', 'c', '__proto__');
    const step = fc.record({
      snapshot: fc.boolean(),
      set: fc.array(fc.tuple(key, fc.integer({ min: 0, max: 2 })), { maxLength: 3 }),
      del: fc.array(key, { maxLength: 2 }),
      take: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 20 }), (steps) => {
        const state = new ChannelState();
        const model = new Map<string, unknown>();
        const follower = new Map<string, unknown>();
        for (const { snapshot, set, del, take } of steps) {
          const values = set.map(([k, v]) => `${JSON.stringify(k)}:${v}`).join(',');
          state.apply(
            frame(
              `${snapshot ? '"snapshot":true,' : ''}"set":{${values}},"del":${JSON.stringify(snapshot ? [] : del)}`,
            ),
          );
          if (snapshot) model.clear();
          for (const [k, v] of set) model.set(k, v);
          if (!snapshot) for (const k of del) model.delete(k);
          if (!take) continue;
          const changes = state.changes.take();
          for (const [k, v] of changes.set) follower.set(k, v);
          for (const k of changes.del) follower.delete(k);
          expect(follower).toEqual(model);
        }
        expect(state.map).toEqual(model);
      }),
    );
  });
  it('has an immutable snapshot: a new one after a change, the same one otherwise', () => {
    const state = new ChannelState();
    const empty = state.snapshot;
    expect(state.snapshot).toBe(empty);
    state.apply({ type: 'state', channel: 'c', set: { a: 1 } });
    const one = state.snapshot;
    expect([empty.size, one.get('a')]).toEqual([0, 1]);
    state.apply({ type: 'state', channel: 'c', set: { a: 1 } });
    expect(state.snapshot).toBe(one);
    state.apply({ type: 'state', channel: 'c', set: {}, del: ['b'] });
    expect(state.snapshot).toBe(one);
    state.apply({ type: 'state', channel: 'c', set: {}, del: ['a'] });
    expect([one.size, state.snapshot.size]).toEqual([1, 0]);
    const gone = state.snapshot;
    state.clear();
    expect(state.snapshot).toBe(gone);
  });
});

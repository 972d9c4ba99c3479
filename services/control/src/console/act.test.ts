// Nothing is done without the token, nor without a second yes.
import { describe, expect, it } from 'vitest';
import type { Action, ActionOutcome } from './act.ts';
import { Actions } from './act.ts';

const token = 'a-long-enough-token';

function setUp(
  o: { readonly token?: string | undefined; readonly accepted?: boolean | undefined } = { token },
): {
  readonly actions: Actions;
  readonly done: string[];
  readonly told: (readonly [Action['act'] | undefined, ActionOutcome])[];
  readonly clock: { nowMs: number };
} {
  const done: string[] = [];
  const told: (readonly [Action['act'] | undefined, ActionOutcome])[] = [];
  const clock = { nowMs: 0 };
  const accepted = 'accepted' in o ? o.accepted : true;
  const actions = new Actions({
    token: o.token,
    aboutShard: (shard) => (shard === 'a' ? 'a moves 3 clients away.' : undefined),
    drain: async (shard) => {
      done.push(`drain ${shard}`);
      return accepted;
    },
    rebalance: async () => {
      done.push('rebalance');
      return accepted === undefined ? undefined : 'Pool desktop is balanced.';
    },
    monotonicMs: () => clock.nowMs,
    onAction: (action, outcome) => told.push([action?.act, outcome]),
  });
  return { actions, done, told, clock };
}

describe('an action', () => {
  it('is asked once more, done once, and told', async () => {
    const { actions, done, told } = setUp();
    const asked = await actions.handle(token, { act: 'drain', shard: 'a' });
    expect([asked.status, asked.text, done]).toEqual([200, 'a moves 3 clients away.', []]);
    expect(await actions.handle(token, { confirm: asked.confirm })).toEqual({
      status: 200,
      text: 'a drains.',
    });
    expect(await actions.handle(token, { confirm: asked.confirm })).toMatchObject({ status: 400 });
    expect(done).toEqual(['drain a']);
    expect(told).toEqual([
      ['drain', 'asked'],
      ['drain', 'done'],
      [undefined, 'invalid'],
    ]);
  });

  it('is forgotten after a minute', async () => {
    const { actions, done, clock } = setUp();
    const { confirm } = await actions.handle(token, { act: 'rebalance' });
    clock.nowMs = 60_001;
    expect(await actions.handle(token, { confirm })).toMatchObject({ status: 400 });
    expect(done).toEqual([]);
  });

  it('that nobody answers has failed', async () => {
    const { actions, told } = setUp({ token, accepted: undefined });
    for (const body of [{ act: 'rebalance' }, { act: 'drain', shard: 'a' }]) {
      const { confirm } = await actions.handle(token, body);
      expect(await actions.handle(token, { confirm })).toMatchObject({ status: 502 });
    }
    expect(told.filter(([, outcome]) => outcome === 'failed')).toHaveLength(2);
  });

  it.each([undefined, '', 'a-long-enough-tokem', `${token}x`])('needs the token, not %j', async (given) => {
    const { actions, done } = setUp();
    const { confirm } = await actions.handle(token, { act: 'rebalance' });
    expect(await actions.handle(given, { confirm })).toMatchObject({ status: 401 });
    expect(await actions.handle(given, { act: 'rebalance' })).toMatchObject({ status: 401 });
    expect(done).toEqual([]);
  });

  it('is none where no token is set', async () => {
    const { actions } = setUp({ token: undefined });
    expect(await actions.handle(token, { act: 'rebalance' })).toMatchObject({ status: 403 });
    expect(await actions.handle('', { act: 'rebalance' })).toMatchObject({ status: 403 });
  });

  it.each([
    undefined,
    null,
    1,
    'drain',
    {},
    { act: 'kill' },
    { act: 'drain' },
    { act: 'drain', shard: 1 },
    { confirm: 'x' },
  ])('is not %j', async (body) => {
    expect(await setUp().actions.handle(token, body)).toMatchObject({ status: 400 });
  });

  it('is for a shard that is there', async () => {
    expect(await setUp().actions.handle(token, { act: 'drain', shard: 'b' })).toMatchObject({ status: 404 });
  });
});

// The types of the hooks; `tsc` checks them, vitest runs the file.
import type { Weir } from '@weir/client';
import { describe, expectTypeOf, it } from 'vitest';
import type { Hooks, useChannel, WeirProviderProps } from './index.ts';
import { typedHooks } from './index.ts';

interface Odds {
  readonly home: number;
}
interface Board {
  odds: { state: Odds; critical: { minute: number } };
  cheers: { cosmetic: string };
}

describe('the types of the hooks', () => {
  it('are those of the application', () => {
    expectTypeOf(typedHooks<Board>).returns.toEqualTypeOf<Hooks<Board>>();
    const use = ({ useChannel, useKey, useCritical, useWeir }: Hooks<Board>) => {
      expectTypeOf(useChannel('odds')).toEqualTypeOf<ReadonlyMap<string, Odds>>();
      expectTypeOf(useKey('odds', 'a')).toEqualTypeOf<Odds | undefined>();
      expectTypeOf(useWeir()).toEqualTypeOf<Weir<Board> | undefined>();
      useCritical('odds', ({ data }) => expectTypeOf(data).toEqualTypeOf<{ minute: number }>());
      // @ts-expect-error: there is no such channel
      useChannel('odd');
    };
    expectTypeOf(use).toBeFunction();
  });

  it('of the untyped hooks are unknown, or given by the caller', () => {
    expectTypeOf<ReturnType<typeof useChannel>>().toEqualTypeOf<ReadonlyMap<string, unknown>>();
    expectTypeOf<ReturnType<typeof useChannel<Odds>>>().toEqualTypeOf<ReadonlyMap<string, Odds>>();
  });

  it('let a provider take a typed client', () => {
    expectTypeOf<{ client: Weir<Board> }>().toExtend<WeirProviderProps>();
    expectTypeOf<{ connect: () => Weir<Board> }>().toExtend<WeirProviderProps>();
    expectTypeOf<{ client: Weir; connect: () => Weir }>().not.toExtend<WeirProviderProps>();
  });
});

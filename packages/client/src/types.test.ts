// What TypeScript says of the public types; `tsc -b` checks it, vitest runs it.
import { describe, expectTypeOf, it } from 'vitest';
import type { connect } from './index.ts';
import type { Channel, ConnectOptions, Weir, WeirErrorLike } from './public.ts';

interface Odds {
  readonly home: number;
}
interface Goal {
  readonly minute: number;
}
interface Market {
  odds: { state: Odds; critical: Goal };
  cheers: { cosmetic: string };
}

describe('the types of an application', () => {
  it('reach the values of each channel', () => {
    type Odd = ReturnType<typeof connect<Market>> extends Weir<infer C> ? C : never;
    expectTypeOf<Odd>().toEqualTypeOf<Market>();
    const odds = (weir: Weir<Market>) => weir.channel('odds');
    expectTypeOf<ReturnType<typeof odds>['state']>().toEqualTypeOf<ReadonlyMap<string, Odds>>();
    expectTypeOf<ReturnType<typeof odds>['snapshot']>().toEqualTypeOf<ReadonlyMap<string, Odds>>();
    const other = (weir: Weir) => weir.channel<{ state: Odds }>('other');
    expectTypeOf<ReturnType<typeof other>>().toEqualTypeOf<Channel<{ state: Odds }>>();
    const plain = (weir: Weir) => weir.channel('odds');
    expectTypeOf<ReturnType<typeof plain>['state']>().toEqualTypeOf<ReadonlyMap<string, unknown>>();
    const listen = (weir: Weir<Market>) =>
      weir.channel('odds').on('critical', ({ data }) => expectTypeOf(data).toEqualTypeOf<Goal>());
    expectTypeOf(listen).returns.toBeFunction();
  });

  it('have a closed set of error codes, and options that may be undefined', () => {
    expectTypeOf<'CLOSED'>().toExtend<WeirErrorLike['code']>();
    expectTypeOf<'NOT_AUTHORIZED'>().not.toExtend<WeirErrorLike['code']>();
    expectTypeOf<{ url: string; token: undefined }>().toExtend<ConnectOptions>();
  });
});

// What the channel carries, named once: all hooks of this application have these types.
import { typedHooks } from '@weir/react';

export interface Odds {
  readonly home: number;
  readonly draw: number;
  readonly away: number;
  readonly score: string;
}

export interface Goal {
  readonly match: string;
  readonly score: string;
}

export const { useChannel, useCritical, useKey, useStatus } = typedHooks<{
  odds: { state: Odds; critical: Goal };
}>();

// What becomes of a person's request to rebalance now, as sentences.
import type { Hindrance } from './plan.ts';

const HINDRANCES: Readonly<Record<Hindrance, string>> = {
  few: 'has one shard alone',
  draining: 'waits, because a shard drains',
  notReady: 'waits, because a shard is not ready',
  stale: 'waits, because a shard has lost NATS',
  rollout: 'waits for the end of a rollout',
  unheard: 'waits, because a shard is not heard',
};

/** `found`: by pool, how many clients move, or why none can. */
export function rebalanceText(found: ReadonlyMap<string, number | Hindrance>): string {
  if (found.size === 0) return 'There is no shard.';
  return [...found].map(([pool, moves]) => `Pool ${pool} ${outcomeOf(moves)}.`).join(' ');
}

function outcomeOf(moves: number | Hindrance): string {
  if (typeof moves === 'string') return HINDRANCES[moves];
  return moves === 0 ? 'is balanced' : `moves ${moves} client${moves === 1 ? '' : 's'}`;
}

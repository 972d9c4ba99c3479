// A sequence of actions as a pure function of its seed. Parameters are plain numbers, taken modulo what exists when the
// action runs, so any part of a sequence is a valid sequence.
import { chance } from './chance.ts';

export interface Action {
  readonly what: ActionName;
  /** Pause before the action. */
  readonly afterMs: number;
  /** Selects the client, shard, channel or key. */
  readonly which: number;
  readonly channel: number;
  /** Size or duration, in thousandths of the action's maximum. */
  readonly size: number;
}

/** Relative frequency of each action. */
const CLIENTS = {
  connect: 8,
  subscribe: 6,
  unsubscribe: 4,
  flip: 9,
  flipInOneTurn: 3,
  resume: 10,
  stall: 6,
  slowDown: 4,
  flood: 2,
  leave: 4,
  beMoved: 6,
} as const;
const PUBLISHERS = {
  set: 24,
  delete: 8,
  purgeKey: 2,
  spoilKey: 2,
  burst: 14,
  bigTick: 8,
  criticalBehindBigTick: 6,
  critical: 16,
  cosmetic: 6,
} as const;
const CLUSTER = {
  killShard: 1.5,
  drainShard: 1.5,
  restartNats: 1,
  setBack: 0.5,
  deleteStream: 0.5,
  takePort: 0.5,
  exhaustFiles: 0.7,
} as const;
const WEIGHTS = { ...CLIENTS, ...PUBLISHERS, ...CLUSTER } as const;

export type ActionName = keyof typeof WEIGHTS | 'quiet';

const LONGEST_PAUSE_MS = 250;
/** Every so many actions writes stop, and all maps are compared. */
const QUIET_EVERY = 40;
const FIRST: readonly ActionName[] = ['connect', 'connect', 'connect', 'connect', 'burst'];

/** The actions of a seed; the last one is a quiet point. */
export function sequence(seed: number, length: number): readonly Action[] {
  const { below, pick } = chance(seed);
  const action = (what: ActionName): Action => ({
    what,
    // Half of the actions follow without a pause: many faults need two actions in the same tick.
    afterMs: Math.max(0, below(2 * LONGEST_PAUSE_MS) - LONGEST_PAUSE_MS),
    which: below(1_000),
    channel: below(1_000),
    size: below(1_000),
  });
  const actions = FIRST.map(action);
  while (actions.length < length) {
    actions.push(action((actions.length + 1) % QUIET_EVERY === 0 ? 'quiet' : pick(WEIGHTS)));
  }
  return actions.at(-1)?.what === 'quiet' ? actions : [...actions, action('quiet')];
}

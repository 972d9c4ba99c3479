// The three lanes of a shard and the epochs they belong to. A new epoch replaces a lane as a whole.
import type { CosmeticLane } from './cosmetic-lane.ts';
import type { CriticalLane } from './critical-lane.ts';
import type { StateLane } from './state-lane.ts';

export class Lanes {
  state: StateLane;
  critical: CriticalLane;
  readonly cosmetic: CosmeticLane;
  stateEpoch = '0';
  criticalEpoch = '0';

  constructor(state: StateLane, critical: CriticalLane, cosmetic: CosmeticLane) {
    this.state = state;
    this.critical = critical;
    this.cosmetic = cosmetic;
  }

  /** Forgets what has been kept for long enough. */
  expire(nowMs: number): void {
    this.state.forgetDeletions(nowMs);
    this.critical.expire(nowMs);
  }
}

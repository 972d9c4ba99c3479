// The three lanes of a shard and the epochs they belong to. A new epoch replaces a lane as a whole.
import type { CosmeticLane } from './cosmetic-lane.ts';
import type { CriticalDrops, CriticalLane } from './critical-lane.ts';
import type { StateLane } from './state-lane.ts';

export class Lanes {
  state: StateLane;
  critical: CriticalLane;
  readonly cosmetic: CosmeticLane;
  stateEpoch = '0';
  criticalEpoch = '0';
  /** Critical messages of this epoch up to here may have been sent to clients in the one before. */
  criticalHadSeq = 0;

  /** Of all critical lanes since the start. */
  readonly criticalDrops: Readonly<CriticalDrops>;

  constructor(
    state: StateLane,
    critical: CriticalLane,
    cosmetic: CosmeticLane,
    criticalDrops: Readonly<CriticalDrops> = { perChannel: 0, bytes: 0 },
  ) {
    this.criticalDrops = criticalDrops;
    this.state = state;
    this.critical = critical;
    this.cosmetic = cosmetic;
  }

  /** Forgets deletions and critical messages that are past their time. */
  expire(nowMs: number): void {
    this.state.forgetDeletions(nowMs);
    this.critical.expire(nowMs);
  }

  /** What the times of a position are compared with. */
  get proofs(): {
    readonly stateHolds: (seq: number, storedMs: number) => boolean;
    readonly criticalReplaced: (channel: string, seq: number, storedMs: number) => boolean;
    readonly criticalSeqAt: (channel: string, storedMs: number) => number;
  } {
    const { state, critical } = this;
    return {
      stateHolds: (seq, storedMs) => state.places.holds(seq, storedMs),
      criticalReplaced: (channel, seq, storedMs) => critical.isReplaced(channel, seq, storedMs),
      // A client may have had more of the epoch before than its last position says.
      criticalSeqAt: (channel, storedMs) => Math.max(critical.seqAt(channel, storedMs), this.criticalHadSeq),
    };
  }
}

// Makes the lanes as the settings bound them, and new ones in their place for another epoch.
import type { ShardConfig } from '../../config.ts';
import { CosmeticLane } from './cosmetic-lane.ts';
import { CriticalLane } from './critical-lane.ts';
import { Lanes } from './lanes.ts';
import { LostState } from './lost-state.ts';
import { StateLane } from './state-lane.ts';

/** The lanes of a shard, and what makes those that can be made anew. */
export interface CreatedLanes {
  readonly lanes: Lanes;
  readonly lost: LostState;
  readonly makeState: () => StateLane;
  readonly makeCritical: () => CriticalLane;
}

/** Empty lanes. */
export function createLanes(config: ShardConfig): CreatedLanes {
  const makeState = (): StateLane =>
    new StateLane({
      maxKeys: config.stateMaxKeys,
      maxBytes: config.stateMaxBytes,
      deletionMs: config.stateDeletionMs,
    });
  const criticalDrops = { perChannel: 0, bytes: 0 };
  const criticalLimits = {
    maxAgeMs: config.criticalMaxAgeMs,
    maxPerChannel: config.criticalMaxPerChannel,
    maxBytes: config.criticalMaxBytes,
  };
  const makeCritical = (): CriticalLane => new CriticalLane(criticalLimits, criticalDrops);
  const cosmetic = new CosmeticLane({
    maxPerTick: config.cosmeticMaxPerTick,
    maxBytesPerTick: config.cosmeticMaxBytesPerTick,
  });
  const lost = new LostState({
    maxKeys: config.stateMaxKeys,
    maxBytes: config.stateMaxBytes,
    keepMs: config.lostStateMs,
    ratio: config.lostStateRatio,
  });
  const lanes = new Lanes(makeState(), makeCritical(), cosmetic, criticalDrops);
  return { lanes, lost, makeState, makeCritical };
}

// All scenarios by name, in the order in which they run.
import type { Scenario } from './scenario.ts';
import { compression } from './scenarios/compression.ts';
import { costChannels, costOne, costTen } from './scenarios/cost.ts';
import { flood, floodRouter } from './scenarios/flood.ts';
import { handOver } from './scenarios/hand-over.ts';
import { idle } from './scenarios/idle.ts';
import { intake } from './scenarios/intake.ts';
import { intakeCost } from './scenarios/intake-cost.ts';
import { lobby } from './scenarios/lobby.ts';
import { slowLink } from './scenarios/slow-link.ts';
import { snapshot } from './scenarios/snapshot.ts';
import { stuck } from './scenarios/stuck.ts';

export const scenarios: Readonly<Record<string, Scenario>> = {
  'cost-one': costOne,
  'cost-ten': costTen,
  'cost-channels': costChannels,
  compression,
  idle,
  'intake-cost': intakeCost,
  intake,
  'slow-link': slowLink,
  snapshot,
  'hand-over': handOver,
  stuck,
  flood,
  'flood-router': floodRouter,
  lobby,
};

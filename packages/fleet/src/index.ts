// @weir/fleet: who is alive and how loaded. Beats, the table of shards, placement.
export type { Beat } from './beat.ts';
export { decodeBeat, encodeBeat } from './beat.ts';
export type { BeatOutcome, BeatSource, Beats, BeatsOptions } from './beats.ts';
export { createBeats } from './beats.ts';
export type { Endpoint, Verdict } from './endpoints.ts';
export { readEndpoints, SecondOpinion } from './endpoints.ts';
export type { Placement } from './place.ts';
export { place } from './place.ts';
export type { Observed, RosterClock, RosterOptions, ShardEntry } from './roster.ts';
export { Roster } from './roster.ts';
export type { ShedAnswer, ShedRequest } from './shed.ts';
export {
  decodeShedAnswer,
  decodeShedRequest,
  encodeShedAnswer,
  encodeShedRequest,
  maxShedMoves,
} from './shed.ts';

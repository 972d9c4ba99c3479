// @weir/fleet: which shards are alive and how loaded they are. Beats, the table of shards, requests to shed clients.
export type { Beat } from './beat.ts';
export { decodeBeat, encodeBeat } from './beat.ts';
export type { BeatOutcome, BeatSource, Beats, BeatsOptions } from './beats.ts';
export { BEAT_OUTCOMES, createBeats } from './beats.ts';
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

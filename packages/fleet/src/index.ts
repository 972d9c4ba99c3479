// @weir/fleet: who is alive and how loaded. Beats, the table of shards, placement.
export type { Beat } from './beat.ts';
export { decodeBeat, encodeBeat } from './beat.ts';
export type { BeatOutcome, BeatSource, Beats, BeatsOptions } from './beats.ts';
export { createBeats } from './beats.ts';
export type { Placement } from './place.ts';
export { place } from './place.ts';
export type { Observed, RosterClock, RosterOptions, ShardEntry } from './roster.ts';
export { Roster } from './roster.ts';

// @weir/fleet: which shards are alive and how loaded they are. Beats, the table of shards, requests to shed clients and
// to drain, figures for the console.
export type { Beat } from './beat.ts';
export { decodeBeat, encodeBeat } from './beat.ts';
export type { BeatOutcome, BeatSource, Beats, BeatsOptions } from './beats.ts';
export { BEAT_OUTCOMES, createBeats } from './beats.ts';
export type { Decision, DecisionReason } from './decision.ts';
export { maxDecisions } from './decision.ts';
export type { DrainAnswer } from './drain.ts';
export { decodeDrainAnswer, encodeDrainAnswer } from './drain.ts';
export { FIGURE_NAMES } from './figure-names.ts';
export type { FigureService, Figures } from './figures.ts';
export { decodeFigures, encodeFigures } from './figures.ts';
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
export type { FiguresParts, OwnFigures, TellFiguresOptions } from './tell-figures.ts';
export { tellFigures } from './tell-figures.ts';

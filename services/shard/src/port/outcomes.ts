// What becomes of clients, as closed sets: labels of metrics, and places in the counts of a thread.
import type { MoveReason } from '@weir/protocol';

/** What became of a client at the door. A closed set: it is a label of a metric. */
export const ADMIT_OUTCOMES = [
  'admitted',
  'path',
  'notUpgrade',
  'busy',
  'forged',
  'expired',
  'clockSkew',
  'wrongPool',
  'wrongShard',
  'used',
  'full',
  'drawsTooMuch',
  'draining',
  'notReady',
  'gone',
  /** A fault of the shard. */
  'failed',
] as const;
export type AdmitOutcome = (typeof ADMIT_OUTCOMES)[number];

/**
 * What ended a connection: a cause of the shard, of the WebSocket library, or: left, the client closed it; lost, the
 * socket ended without a Close; stopped, the shard ended; threadDied, its thread did.
 */
export const CLOSE_CAUSES = [
  'hardBytes',
  'lag',
  'cutOff',
  'tooManyMessages',
  'protocolError',
  'drain',
  'tokenExpired',
  'badData',
  'tooLarge',
  'left',
  'lost',
  'stopped',
  'threadDied',
] as const;
export type CloseCause = (typeof CLOSE_CAUSES)[number];

/** What follows from a pong of a client that another pool may suit better. A closed set: a label of metrics. */
export const REASSIGN_VERDICTS = ['move', 'tooNew', 'tooMany', 'shardIsSlow'] as const;
export type ReassignVerdict = (typeof REASSIGN_VERDICTS)[number];

/** What the router and a look of the shard found of a client: places of a matrix, and labels of a metric. */
export const LOOK_CLASSES = ['fast', 'slow'] as const;
export const LOOK_RESULTS = ['fast', 'slow', 'unsure'] as const;

/** Why the shard asks clients to move. */
export const MOVE_REASONS: readonly MoveReason[] = ['drain', 'rebalance', 'tooSlow', 'promote'];

// The outcomes of an upgraded client. A closed set: it is a label of a metric.
import type { CloseName } from '@weir/protocol';

/** What became of a client that was upgraded; every one is counted once. */
export const CONNECT_OUTCOMES = [
  'redirected',
  'noCapacity',
  'notAuthorised',
  'hintExpired',
  'protocolError',
  'tooManyMessages',
  'left',
  'stopped',
  'failed',
] as const;
export type ConnectOutcome = (typeof CONNECT_OUTCOMES)[number];

/** The outcome of a client that is refused with this Close. */
export function outcomeOf(close: CloseName): ConnectOutcome {
  if (close === 'notAuthorised') return 'notAuthorised';
  if (close === 'ticketRefused') return 'hintExpired';
  return close === 'noCapacity' ? 'noCapacity' : 'protocolError';
}

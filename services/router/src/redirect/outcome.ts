// What can become of an upgraded client. A closed set: it is a label of a metric.

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

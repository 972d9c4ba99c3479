// The close codes, one table. 4000-4499: the client reconnects. 4500-4999: it stops. Section 9 of docs/protocol.md
// repeats the table; a test keeps the two equal.

/** What a client does after a close. */
export type AfterClose = 'nothing' | 'redirect' | 'router' | 'wait' | 'backOff' | 'stop';

/** One row of the table. `reason` is sent if there is no more precise one (at most 123 bytes). */
export interface CloseCode {
  readonly code: number;
  readonly name: string;
  readonly reason: string;
  readonly after: AfterClose;
}

/** All codes, by name. Weir sends all except `moved`, which a client sends on a stream that another has replaced. */
export const closeCodes = {
  normal: { code: 1000, name: 'normal', reason: 'normal', after: 'nothing' },
  redirected: { code: 4001, name: 'redirected', reason: 'redirected', after: 'redirect' },
  moved: { code: 4002, name: 'moved', reason: 'moved', after: 'nothing' },
  ticketRefused: { code: 4003, name: 'ticketRefused', reason: 'ticket expired or used', after: 'router' },
  tooSlow: { code: 4008, name: 'tooSlow', reason: 'too slow', after: 'router' },
  noPong: { code: 4009, name: 'noPong', reason: 'no pong', after: 'router' },
  tokenExpired: { code: 4010, name: 'tokenExpired', reason: 'token expired', after: 'router' },
  restarting: { code: 4012, name: 'restarting', reason: 'shard is restarting', after: 'wait' },
  noCapacity: { code: 4013, name: 'noCapacity', reason: 'no capacity', after: 'backOff' },
  tooManyMessages: { code: 4029, name: 'tooManyMessages', reason: 'too many messages', after: 'backOff' },
  notAuthorised: { code: 4500, name: 'notAuthorised', reason: 'not authorised', after: 'stop' },
  protocolError: { code: 4501, name: 'protocolError', reason: 'protocol error', after: 'stop' },
  originRefused: { code: 4503, name: 'originRefused', reason: 'origin not allowed', after: 'stop' },
} as const;

/** Name of one of Weir's close codes. */
export type CloseName = keyof typeof closeCodes;

const byCode: ReadonlyMap<number, CloseCode> = new Map(
  Object.values(closeCodes).map((row) => [row.code, row]),
);

/** What a client does after any code: by the table, else by its range. An unknown code means back off and reconnect. */
export function afterClose(code: number): AfterClose {
  const known = byCode.get(code);
  if (known !== undefined) return known.after;
  return code >= 4500 && code <= 4999 ? 'stop' : 'backOff';
}

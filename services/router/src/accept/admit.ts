// The last checks: the channels that a client may have, by its token or by a shard's hint, and which of its wishes that
// covers.
// Must never let a hint widen what a token allows.
import type { Hint, TicketKey } from '@weir/protocol';
import { limits, verifyHint } from '@weir/protocol';
import type { Refusal } from './refusal.ts';
import type { CheckToken } from './user-token.ts';
import { divide } from './user-token.ts';

/** The rights of an admitted client. */
export interface Admission {
  /** Patterns of all channels that it may have. */
  readonly allow: readonly string[];
  /** The requested channels that it may have; `denied` are the others. */
  readonly granted: readonly string[];
  readonly denied: readonly string[];
  readonly hint: HintVerdict;
  /** Expiry of its token, or of the token it came with first; undefined if no token is required. */
  readonly tokenExpiresS: number | undefined;
}

/** The verdict on the client's hint. */
export type HintVerdict =
  | { readonly is: 'valid'; readonly hint: Hint; readonly expiresInMs: number }
  | { readonly is: 'none' | 'expired' | 'refused' };

/** The checks that admission uses. */
export interface AdmitOptions {
  /** Checks user tokens; absent if every client may have every channel. */
  readonly check: CheckToken | undefined;
  readonly keys: readonly TicketKey[];
  readonly clock: { wallMs(): number };
  /** Whether a hint is for this network. */
  readonly isFrom: (hint: Hint, network: string) => boolean;
  /** Uses up a hint; false if it was used before, or if no more hints can be remembered. */
  readonly useUp: (hint: Hint, expiresInMs: number) => boolean;
}

/** The client's credentials and wishes. */
export interface Credentials {
  readonly network: string;
  readonly channels: readonly string[];
  readonly token?: string;
  readonly hint?: string;
}

type Permission = Pick<Admission, 'allow' | 'tokenExpiresS'>;

const everything: readonly string[] = ['>'];

/** Admits a client or says why not. */
export async function admit(
  client: Credentials,
  o: AdmitOptions,
): Promise<Admission | { readonly refusal: Refusal }> {
  const hint = await judgeHint(client.hint, o);
  const permitted = await permit(client, hint, o);
  if ('refusal' in permitted) return permitted;
  const { granted, denied } = divide(client.channels, permitted.allow);
  if (granted.length === 0) return { refusal: unauthorised('none of these channels is allowed') };
  return { ...permitted, granted, denied, hint };
}

async function judgeHint(text: string | undefined, o: AdmitOptions): Promise<HintVerdict> {
  if (text === undefined) return { is: 'none' };
  const verified = await verifyHint(text, { keys: o.keys, nowMs: o.clock.wallMs() });
  if (verified.ok) return { is: 'valid', hint: verified.value, expiresInMs: verified.expiresInMs };
  return { is: verified.problem === 'TICKET_EXPIRED' ? 'expired' : 'refused' };
}

/** A token decides if there is one; otherwise the hint that a shard has signed for a moved client. */
async function permit(
  client: Credentials,
  verdict: HintVerdict,
  o: AdmitOptions,
): Promise<Permission | { readonly refusal: Refusal }> {
  if (o.check === undefined) return { allow: everything, tokenExpiresS: undefined };
  if (client.token !== undefined) {
    const checked = await o.check(client.token);
    if ('allow' in checked) return { allow: checked.allow, tokenExpiresS: checked.expiresS };
    return {
      refusal: checked.problem === 'refused' ? unauthorised(checked.message) : unavailable(checked.message),
    };
  }
  if (verdict.is === 'valid' && verdict.hint.allow.length > 0)
    return standsForToken(verdict, client.network, o);
  if (verdict.is === 'expired') return withToken('the hint has expired');
  return { refusal: unauthorised('a token is required: token=<JWT>, or the subprotocol weir.token.<JWT>') };
}

/** A move's hint is valid from the client's own network, once, and no longer than the client's first token. */
function standsForToken(
  { hint, expiresInMs }: HintVerdict & { readonly is: 'valid' },
  network: string,
  { isFrom, useUp, clock }: AdmitOptions,
): Permission | { readonly refusal: Refusal } {
  const { allow, tokenExpiresS } = hint;
  const tokenEndsMs = (tokenExpiresS ?? Number.POSITIVE_INFINITY) * 1_000 + limits.clockToleranceMs;
  if (!isFrom(hint, network)) return withToken('the hint is for another network');
  if (clock.wallMs() >= tokenEndsMs) return withToken('the token has expired');
  if (!useUp(hint, expiresInMs)) return withToken('the hint was used before');
  return { allow, tokenExpiresS };
}

/** The client has a token, or can get one, so the answer must let it come back. */
function withToken(why: string): { readonly refusal: Refusal } {
  return { refusal: { ...unauthorised(`${why}; come with a token`), close: 'ticketRefused' } };
}

function unauthorised(message: string): Refusal {
  return { reason: 'token', status: 401, code: 'NOT_AUTHORISED', message, close: 'notAuthorised' };
}

function unavailable(message: string): Refusal {
  const headers = { 'Retry-After': '5' };
  return { reason: 'keys', status: 503, code: 'TRY_AGAIN', message, headers, close: 'noCapacity' };
}

// The last rungs: what a client may have, by its token or by a shard's hint, and which of its channels that covers.
// Must never let a hint widen what a token allows.
import type { Hint, TicketKey } from '@weir/protocol';
import { verifyHint } from '@weir/protocol';
import type { Refusal } from './refusal.ts';
import type { CheckToken } from './user-token.ts';
import { divide } from './user-token.ts';

/** What an admitted client comes with. */
export interface Admission {
  /** Patterns of all that it may have. */
  readonly allow: readonly string[];
  /** Of the channels that it asked for. */
  readonly granted: readonly string[];
  readonly denied: readonly string[];
  readonly hint: HintVerdict;
}

/** What the client's hint is worth. */
export type HintVerdict =
  | { readonly is: 'valid'; readonly hint: Hint }
  | { readonly is: 'none' | 'expired' | 'refused' };

/** Who is asked. */
export interface AdmitOptions {
  /** Checks user tokens; absent where everybody may have everything. */
  readonly check: CheckToken | undefined;
  readonly keys: readonly TicketKey[];
  readonly clock: { wallMs(): number };
}

/** What a client shows. */
export interface Credentials {
  readonly channels: readonly string[];
  readonly token?: string;
  readonly hint?: string;
}

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
  return { allow: permitted.allow, granted, denied, hint };
}

async function judgeHint(text: string | undefined, o: AdmitOptions): Promise<HintVerdict> {
  if (text === undefined) return { is: 'none' };
  const verified = await verifyHint(text, { keys: o.keys, nowMs: o.clock.wallMs() });
  if (verified.ok) return { is: 'valid', hint: verified.value };
  return { is: verified.problem === 'TICKET_EXPIRED' ? 'expired' : 'refused' };
}

/** A token decides where there is one; without one, what a shard has signed for a client that it sends away. */
async function permit(
  client: Credentials,
  verdict: HintVerdict,
  { check }: AdmitOptions,
): Promise<{ readonly allow: readonly string[] } | { readonly refusal: Refusal }> {
  if (check === undefined) return { allow: everything };
  if (client.token !== undefined) {
    const checked = await check(client.token);
    if ('allow' in checked) return checked;
    return {
      refusal: checked.problem === 'refused' ? unauthorised(checked.message) : unavailable(checked.message),
    };
  }
  if (verdict.is === 'valid' && verdict.hint.allow.length > 0) return { allow: verdict.hint.allow };
  if (verdict.is === 'expired') {
    return {
      refusal: { ...unauthorised('the hint has expired; come with a token'), close: 'ticketRefused' },
    };
  }
  return { refusal: unauthorised('a token is required: token=<JWT>, or the subprotocol weir.token.<JWT>') };
}

function unauthorised(message: string): Refusal {
  return { reason: 'token', status: 401, code: 'NOT_AUTHORISED', message, close: 'notAuthorised' };
}

function unavailable(message: string): Refusal {
  const headers = { 'Retry-After': '5' };
  return { reason: 'keys', status: 503, code: 'TRY_AGAIN', message, headers, close: 'noCapacity' };
}

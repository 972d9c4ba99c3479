// The one error class of the SDK, and the words for closes that say stop and for retries that no listener hears. Codes are API,
// messages are not.
import type { RetryEvent, WeirErrorCode, WeirErrorLike } from './public.ts';

interface Details {
  readonly channel?: string | undefined;
  readonly closeCode?: number;
  readonly cause?: unknown;
}

/** The one class of errors of the SDK: what `connect` and `subscribe` throw, and what the event `error` brings. */
export class WeirError extends Error implements WeirErrorLike {
  /** Always `WeirError`. */
  override readonly name: string = 'WeirError';
  /** To compare; the message may change with a version. */
  readonly code: WeirErrorCode;
  /** The channel that it is about, where it is about one. */
  readonly channel: string | undefined;
  /** The close code that led to it, where one did. */
  readonly closeCode: number | undefined;

  /** Applications have no need to make one. */
  constructor(code: WeirErrorCode, message: string, details: Details = {}) {
    super(message, { cause: details.cause });
    this.code = code;
    this.channel = details.channel;
    this.closeCode = details.closeCode;
  }
}

const stops: ReadonlyMap<number, readonly [WeirErrorCode, string]> = new Map([
  [4500, ['NOT_AUTHORISED', 'give connect() a valid token, or a function that fetches one']],
  [4501, ['PROTOCOL_ERROR', 'check the options and the version of the SDK']],
  [4503, ['ORIGIN_REFUSED', 'add this origin to those that the router allows']],
]);

/** The error for a close after which the client stays away. */
export function stopError(closeCode: number, reason: string): WeirError {
  const [code, advice] = stops.get(closeCode) ?? ['REFUSED', 'trying again will not help'];
  return new WeirError(code, `closed with ${closeCode} (${reason || 'no reason given'}): ${advice}`, {
    closeCode,
  });
}

/** Failures in a row after which an application that does not listen to `retry` is told once on the console. */
export const WARN_AT = 3;

/** What it is told. */
export function unheardRetries(
  url: string,
  { code, reason, stage }: Pick<RetryEvent, 'code' | 'reason' | 'stage'>,
): string {
  return (
    `weir: ${WARN_AT} tries to reach ${url.split('?')[0]} failed (${stage}: ${code} ${reason}). ` +
    "Check the URL, its path, the page's CSP (connect-src) and the allowed origins, or listen to 'retry'."
  );
}

// A user's own token (JWT), which says which channels the user may have. Fixed algorithms and one source of keys:
// nothing in the token decides how it is checked. Tokens and their contents never reach a log.
import { channelAllowed, isChannelPattern, limits } from '@weir/protocol';
import type { JWTPayload, JWTVerifyGetKey, ProtectedHeaderParameters } from 'jose';
import { decodeProtectedHeader, jwtVerify } from 'jose';
import { JOSEError } from 'jose/errors';

/** The rights of a token. */
export type TokenVerdict =
  | { readonly allow: readonly string[]; readonly expiresS: number }
  /** `refused`: a retry will not help. `unavailable`: the token cannot be checked now. */
  | { readonly problem: 'refused' | 'unavailable'; readonly message: string };

/** Checks a user's token. */
export type CheckToken = (token: string) => Promise<TokenVerdict>;

/** The source of the keys. */
export type KeySource =
  | { readonly kind: 'secret'; readonly secret: Uint8Array }
  | { readonly kind: 'jwks'; readonly key: JWTVerifyGetKey };

/** The settings of the check. */
export interface TokenOptions {
  readonly source: KeySource;
  readonly audience?: string | undefined;
  readonly issuer?: string | undefined;
  /** The claim with the list of channel patterns. */
  readonly claim: string;
  /** The patterns of a token without that claim. */
  readonly defaultChannels: readonly string[];
  readonly clock: { wallMs(): number };
}

/** Thrown by a key source that is unavailable now. */
export class KeysUnavailableError extends Error {
  readonly code = 'KEYS_UNAVAILABLE';
}

const algorithms: Readonly<Record<KeySource['kind'], readonly string[]>> = {
  secret: ['HS256', 'HS384', 'HS512'],
  jwks: ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'],
};

/** Keys in a token or at a URL in it are never used; a token with such a header is refused. */
const forbiddenHeaders = ['jwk', 'jku', 'x5u', 'x5c'] as const;
const JWS = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/;
const maxKidChars = 256;
/** Seconds; a later time is not a valid date. */
const latestDate = 8_640_000_000_000;
const maxPatterns = 1_000;

const refused = (message: string): TokenVerdict => ({ problem: 'refused', message });

/** Makes the check. */
export function createTokenCheck(o: TokenOptions): CheckToken {
  const check = {
    algorithms: [...algorithms[o.source.kind]],
    requiredClaims: ['exp'],
    clockTolerance: limits.clockToleranceMs / 1000,
    ...(o.audience === undefined ? {} : { audience: o.audience }),
    ...(o.issuer === undefined ? {} : { issuer: o.issuer }),
  };
  return async (token) => {
    const form = formProblem(token, o.source.kind);
    if (form !== undefined) return refused(form);
    let payload: JWTPayload;
    try {
      const options = { ...check, currentDate: new Date(o.clock.wallMs()) };
      ({ payload } =
        o.source.kind === 'secret'
          ? await jwtVerify(token, o.source.secret, options)
          : await jwtVerify(token, o.source.key, options));
    } catch (error) {
      if (error instanceof KeysUnavailableError) {
        return { problem: 'unavailable', message: 'the token cannot be checked at this moment' };
      }
      if (error instanceof JOSEError) return refused(inWords(error));
      if (isUnusableKey(error)) return refused('the key that the token names cannot be used');
      throw error;
    }
    return judgeClaims(payload, o);
  };
}

/** Problems that are found before any key is looked up. */
function formProblem(token: string, kind: KeySource['kind']): string | undefined {
  if (token.length > limits.tokenChars) return `a token has at most ${limits.tokenChars} characters`;
  if (!JWS.test(token)) return 'the token is not a signed JWT';
  const header = headerOf(token);
  if (header === undefined) return 'the token is not a signed JWT';
  const { alg, kid, typ } = header;
  if (typeof alg !== 'string' || !algorithms[kind].includes(alg)) {
    return 'the token is signed with an algorithm that is not accepted';
  }
  if (forbiddenHeaders.some((name) => name in header)) return 'the token brings or names its own key';
  if (kid !== undefined && !isPlainKid(kid, kind)) return 'the kid of the token is not accepted';
  const ours = typeof typ === 'string' && typ.toLowerCase().replace('application/', '').startsWith('weir-');
  return ours ? 'a ticket or hint is not a user token' : undefined;
}

function headerOf(token: string): ProtectedHeaderParameters | undefined {
  try {
    return decodeProtectedHeader(token);
  } catch {
    return undefined;
  }
}

/** With a set of keys the kid must match one of them. With a secret it has no meaning, so only its form is checked. */
function isPlainKid(kid: unknown, kind: KeySource['kind']): boolean {
  if (typeof kid !== 'string' || kid.length > maxKidChars) return false;
  return kind === 'jwks' || !/^\/|\.\.|\\|\p{Cc}/u.test(kid);
}

/** The provider's set may have keys that are too short, or damaged: only tokens that name them are refused. */
function isUnusableKey(error: unknown): boolean {
  return error instanceof TypeError || error instanceof DOMException;
}

function inWords(error: JOSEError): string {
  if (error.code === 'ERR_JWT_EXPIRED') return 'the token has expired';
  if (error.code === 'ERR_JWT_CLAIM_VALIDATION_FAILED')
    return 'the token has another audience or issuer, or a claim is missing';
  return 'the token is not valid';
}

function judgeClaims(payload: JWTPayload, o: TokenOptions): TokenVerdict {
  const { exp } = payload;
  if (exp === undefined || !Number.isFinite(exp) || exp > latestDate)
    return refused('the token has no valid exp');
  const claim = Object.hasOwn(payload, o.claim) ? payload[o.claim] : undefined;
  const expiresS = Math.floor(exp);
  if (claim === undefined) return { allow: o.defaultChannels, expiresS };
  const list = Array.isArray(claim) && claim.length <= maxPatterns ? claim : undefined;
  const patterns = list?.filter((item): item is string => typeof item === 'string' && isChannelPattern(item));
  if (list === undefined || patterns?.length !== list.length) {
    return refused(`the claim with the channels is not a list of at most ${maxPatterns} channel patterns`);
  }
  return { allow: patterns, expiresS };
}

/** Splits the requested channels into allowed and denied ones. */
export function divide(
  channels: readonly string[],
  allow: readonly string[],
): { readonly granted: readonly string[]; readonly denied: readonly string[] } {
  const granted = channels.filter((channel) => channelAllowed(channel, allow));
  return { granted, denied: channels.filter((channel) => !granted.includes(channel)) };
}

// Tickets and hints: short-lived signed permissions, as JWS with one fixed algorithm (HS256) and `kid` for rotation.
// Whoever holds a ticket may open one stream; whoever holds a hint may skip the probe. Neither may reach a log.
import { webcrypto } from 'node:crypto';
import { jwtVerify, SignJWT } from 'jose';
import { JOSEError } from 'jose/errors';
import { limits } from './limits.ts';
import type { MoveHistory } from './move-history.ts';
import { decodeMoveHistory, encodeMoveHistory } from './move-history.ts';
import { isChannel, isChannelPattern, isToken } from './names.ts';

/** A signing key. `id` is the `kid`; `secret` has at least 32 bytes, as HS256 wants. */
export interface TicketKey {
  readonly id: string;
  readonly secret: Uint8Array;
}

/** The permission to open one stream. */
export interface Ticket {
  /** Unique; a shard accepts each once. */
  readonly id: string;
  /** The audience: only shards of this pool accept it. */
  readonly pool: string;
  /** Where it is there, only this shard accepts it. */
  readonly shard?: string;
  /** The start of that shard which accepts it; absent where the router or the shard is of a release before. */
  readonly incarnation?: string;
  /** What the client is subscribed to at first. */
  readonly channels: readonly string[];
  /** Patterns of what it may subscribe to later; `['>']` is everything. */
  readonly allow: readonly string[];
  /** What it asked for and may not have: answered by `error` messages after the welcome. */
  readonly denied: readonly string[];
  /** Whether the client came by TLS, so that moves send it to `wss` URLs. */
  readonly tls: boolean;
  /** The fastest pool that the client itself wants (`class=`, Save-Data); it is not moved to a faster one. */
  readonly ceiling?: string;
  /** Nothing for a client that has just come. */
  readonly history?: MoveHistory;
  /** The router's own mark of the network that the client came from; the hint of a move is for that network alone. */
  readonly network?: string;
  /** When the user's token expires, in seconds since 1970: no hint of a move stands for it longer. */
  readonly tokenExpiresS?: number;
}

/** What a moved or recently measured client shows the router instead of a token and a probe. */
export interface Hint {
  readonly id: string;
  /** The class it was measured to be: the name of a pool. */
  readonly pool: string;
  readonly allow: readonly string[];
  /** The shard to avoid: the one that sends the client away. */
  readonly avoid?: string;
  /** The router measures again: `pool` is then only where the client was until now (too slow for it, or too fast). */
  readonly measure?: boolean;
  /** As in the ticket: a moved client does not say again what it wants. */
  readonly ceiling?: string;
  readonly history?: MoveHistory;
  /** The router's own mark of the network that the hint is for; from another one the client is measured again. */
  readonly network?: string;
  /** As in the ticket. */
  readonly tokenExpiresS?: number;
  readonly rttMs?: number;
  readonly kbps?: number;
}

/** Why a ticket or hint was refused. `FORGED` covers everything that we did not sign ourselves. */
export type TicketProblem =
  | 'TICKET_FORGED'
  | 'TICKET_EXPIRED'
  | 'TICKET_CLOCK_SKEW'
  | 'TICKET_WRONG_POOL'
  | 'TICKET_WRONG_SHARD';

export type Verified<T> =
  | { readonly ok: true; readonly value: T; readonly expiresInMs: number }
  | { readonly ok: false; readonly problem: TicketProblem };

const ALGORITHM = 'HS256';
const TICKET_TYPE = 'weir-ticket+jwt';
const HINT_TYPE = 'weir-hint+jwt';
const MIN_SECRET_BYTES = 32;
/** A JWS whose signature is the one text of its 32 bytes: the last character's two spare bits are zero. */
const JWS = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$/;

/**
 * Parses `kid:base64url-secret[,kid:secret…]`: the first key signs, all of them verify.
 * Throws an `Error` in words, never with the secret in it.
 */
export function parseTicketKeys(text: string): readonly TicketKey[] {
  const keys = text.split(',').map((entry, index) => {
    const [id = '', secret = '', ...rest] = entry.trim().split(':');
    if (rest.length > 0 || !isToken(id, 64))
      throw new Error(`key ${index + 1} must be <kid>:<base64url secret>`);
    const bytes = Buffer.from(secret, 'base64url');
    if (!/^[A-Za-z0-9_-]+$/.test(secret) || bytes.length < MIN_SECRET_BYTES) {
      throw new Error(
        `the secret of key ${index + 1} must be base64url of at least ${MIN_SECRET_BYTES} bytes`,
      );
    }
    return { id, secret: new Uint8Array(bytes) };
  });
  if (new Set(keys.map((key) => key.id)).size !== keys.length) throw new Error('two keys have the same kid');
  return keys;
}

const importedKeys = new WeakMap<Uint8Array, Promise<webcrypto.CryptoKey>>();

/** The key as Web Crypto wants it, made once: to import it for every signature costs as much as the signature. */
function imported({ secret }: TicketKey): Promise<webcrypto.CryptoKey> {
  const known = importedKeys.get(secret);
  if (known !== undefined) return known;
  const usages = ['sign', 'verify'] as const;
  const made = webcrypto.subtle.importKey('raw', secret, { name: 'HMAC', hash: 'SHA-256' }, false, [
    ...usages,
  ]);
  importedKeys.set(secret, made);
  return made;
}

interface Signing {
  readonly key: TicketKey;
  /** Wall clock, milliseconds since 1970. */
  readonly nowMs: number;
  /** How long it is good for; at most `limits.ticketTtlMs` or `limits.hintTtlMs`, in whole seconds upwards. */
  readonly ttlMs: number;
}

/** Signs a ticket. Rejects with a `RangeError` where it would live longer or be longer than allowed. */
export async function issueTicket(ticket: Ticket, { key, nowMs, ttlMs }: Signing): Promise<string> {
  if (ttlMs > limits.ticketTtlMs) throw new RangeError(`a ticket lives at most ${limits.ticketTtlMs} ms`);
  const claims = {
    ch: ticket.channels.join(),
    al: ticket.allow.join(),
    ...(ticket.denied.length > 0 ? { dn: ticket.denied.join() } : {}),
    ...(ticket.tls ? { tls: true } : {}),
    ...(ticket.shard === undefined ? {} : { sh: ticket.shard }),
    ...(ticket.incarnation === undefined ? {} : { in: ticket.incarnation }),
    ...courseClaims(ticket),
  };
  return sign(claims, { type: TICKET_TYPE, id: ticket.id, audience: ticket.pool, key, nowMs, ttlMs });
}

/** Signs a hint. Rejects with a `RangeError` where it would be longer than allowed. */
export async function issueHint(hint: Hint, { key, nowMs, ttlMs }: Signing): Promise<string> {
  if (ttlMs > limits.hintTtlMs) throw new RangeError(`a hint lives at most ${limits.hintTtlMs} ms`);
  const claims = {
    al: hint.allow.join(),
    ...(hint.avoid === undefined ? {} : { av: hint.avoid }),
    ...(hint.measure === true ? { ms: true } : {}),
    ...(hint.rttMs === undefined ? {} : { rtt: hint.rttMs }),
    ...(hint.kbps === undefined ? {} : { kbps: hint.kbps }),
    ...courseClaims(hint),
  };
  return sign(claims, { type: HINT_TYPE, id: hint.id, audience: hint.pool, key, nowMs, ttlMs });
}

interface SignParts extends Signing {
  readonly type: string;
  readonly id: string;
  readonly audience: string;
}

async function sign(claims: Record<string, unknown>, parts: SignParts): Promise<string> {
  const issuedAt = Math.floor(parts.nowMs / 1000);
  const token = await new SignJWT(claims)
    .setProtectedHeader({ alg: ALGORITHM, kid: parts.key.id, typ: parts.type })
    .setJti(parts.id)
    .setAudience(parts.audience)
    .setIssuedAt(issuedAt)
    .setExpirationTime(issuedAt + Math.ceil(parts.ttlMs / 1000))
    .sign(await imported(parts.key));
  if (token.length > limits.ticketChars) throw new RangeError(`longer than ${limits.ticketChars} characters`);
  return token;
}

/** Who checks: its keys, its clock, and (for tickets) which pool and shard it is. */
export interface TicketVerifier {
  readonly keys: readonly TicketKey[];
  readonly nowMs: number;
  readonly pool: string;
  readonly shard: string;
  /** Of this start of the shard; a ticket that names none is good for every start. */
  readonly incarnation?: string;
}

/** Checks a ticket's signature, time, audience and shard. Single use is the shard's own business. */
export async function verifyTicket(token: string, verifier: TicketVerifier): Promise<Verified<Ticket>> {
  const { keys, nowMs } = verifier;
  const opened = await open(token, { keys, nowMs, type: TICKET_TYPE, maxLifeMs: limits.ticketTtlMs });
  if (!opened.ok) return opened;
  const { claims, expiresInMs } = opened;
  const { sh: shard, in: incarnation, tls } = claims;
  const channels = texts(claims['ch'], isChannel);
  const allow = texts(claims['al'], isChannelPattern);
  const denied = texts(claims['dn'] ?? '', isChannel);
  if (channels === undefined || allow === undefined || denied === undefined) return refused('TICKET_FORGED');
  if (opened.audience !== verifier.pool) return refused('TICKET_WRONG_POOL');
  if (shard !== undefined && shard !== verifier.shard) return refused('TICKET_WRONG_SHARD');
  const ofAnother = incarnation !== undefined && incarnation !== verifier.incarnation;
  if (ofAnother && verifier.incarnation !== undefined) return refused('TICKET_WRONG_SHARD');
  const bound = {
    ...(typeof shard === 'string' ? { shard } : {}),
    ...(typeof incarnation === 'string' ? { incarnation } : {}),
  };
  const value = {
    id: opened.id,
    pool: opened.audience,
    ...bound,
    channels,
    allow,
    denied,
    tls: tls === true,
    ...courseOf(claims),
  };
  return { ok: true, value, expiresInMs };
}

/** Checks a hint's signature and time. */
export async function verifyHint(
  token: string,
  verifier: Pick<TicketVerifier, 'keys' | 'nowMs'>,
): Promise<Verified<Hint>> {
  const { keys, nowMs } = verifier;
  const opened = await open(token, { keys, nowMs, type: HINT_TYPE, maxLifeMs: limits.hintTtlMs });
  if (!opened.ok) return opened;
  const { claims, expiresInMs } = opened;
  const allow = texts(claims['al'], isChannelPattern);
  if (allow === undefined) return refused('TICKET_FORGED');
  const { av, ms, rtt, kbps } = claims;
  const value = {
    id: opened.id,
    pool: opened.audience,
    allow,
    ...(typeof av === 'string' ? { avoid: av } : {}),
    ...(ms === true ? { measure: true } : {}),
    ...(typeof rtt === 'number' ? { rttMs: rtt } : {}),
    ...(typeof kbps === 'number' ? { kbps } : {}),
    ...courseOf(claims),
  };
  return { ok: true, value, expiresInMs };
}

/** What tickets and hints pass on from move to move. */
type Course = Pick<Ticket, 'ceiling' | 'history' | 'network' | 'tokenExpiresS'>;

function courseClaims({ ceiling, history, network, tokenExpiresS }: Course): Record<string, unknown> {
  return {
    ...(network === undefined ? {} : { nw: network }),
    ...(tokenExpiresS === undefined ? {} : { te: tokenExpiresS }),
    ...(ceiling === undefined ? {} : { ce: ceiling }),
    ...(history === undefined ? {} : { mh: encodeMoveHistory(history) }),
  };
}

function courseOf({ ce, mh, nw, te }: Readonly<Record<string, unknown>>): Course {
  const history = decodeMoveHistory(mh);
  return {
    ...(typeof nw === 'string' ? { network: nw } : {}),
    ...(isSeconds(te) ? { tokenExpiresS: te } : {}),
    ...(typeof ce === 'string' && isToken(ce, 64) ? { ceiling: ce } : {}),
    ...(history === undefined ? {} : { history }),
  };
}

interface Opened {
  readonly ok: true;
  readonly id: string;
  readonly audience: string;
  readonly claims: Readonly<Record<string, unknown>>;
  readonly expiresInMs: number;
}

interface Opening {
  readonly keys: readonly TicketKey[];
  readonly nowMs: number;
  readonly type: string;
  /** Longest life from issue to expiry. */
  readonly maxLifeMs: number;
}

async function open(
  token: string,
  opening: Opening,
): Promise<Opened | { ok: false; problem: TicketProblem }> {
  if (token.length > limits.ticketChars || !JWS.test(token)) return refused('TICKET_FORGED');
  const toleranceMs = limits.clockToleranceMs;
  try {
    const { payload } = await jwtVerify(
      token,
      (header) => {
        const key = opening.keys.find((candidate) => candidate.id === header.kid);
        if (key === undefined) throw new JOSEError('unknown key');
        return imported(key);
      },
      {
        algorithms: [ALGORITHM],
        typ: opening.type,
        currentDate: new Date(opening.nowMs),
        clockTolerance: toleranceMs / 1000,
        requiredClaims: ['exp', 'iat', 'jti', 'aud'],
      },
    );
    const { exp, iat, jti, aud } = payload;
    // `1e400` is a number to JSON: only whole seconds, and no longer life than one that we would have given.
    if (!isSeconds(exp) || !isSeconds(iat) || typeof aud !== 'string') return refused('TICKET_FORGED');
    if ((exp - iat) * 1000 > opening.maxLifeMs) return refused('TICKET_FORGED');
    if (typeof jti !== 'string' || jti.length > 64) return refused('TICKET_FORGED');
    if (iat * 1000 > opening.nowMs + toleranceMs) return refused('TICKET_CLOCK_SKEW');
    return {
      ok: true,
      id: jti,
      audience: aud,
      claims: payload,
      expiresInMs: exp * 1000 + toleranceMs - opening.nowMs,
    };
  } catch (error) {
    if (!(error instanceof JOSEError)) throw error;
    return refused(error.code === 'ERR_JWT_EXPIRED' ? 'TICKET_EXPIRED' : 'TICKET_FORGED');
  }
}

function isSeconds(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value);
}

function refused(problem: TicketProblem): { readonly ok: false; readonly problem: TicketProblem } {
  return { ok: false, problem };
}

/** Names as they stand in a claim: joined by commas, which a URL has less room for than a list would take. */
function texts(claim: unknown, valid: (text: string) => boolean): readonly string[] | undefined {
  if (typeof claim !== 'string') return undefined;
  const names = claim === '' ? [] : claim.split(',');
  return names.length <= limits.channelsPerConnection && names.every(valid) ? names : undefined;
}

// Tickets and hints: short-lived signed permissions, as JWS with one fixed algorithm (HS256) and `kid` for rotation.
// The holder of a ticket may open one stream; the holder of a hint may skip the probe. No log may contain either.
import { webcrypto } from 'node:crypto';
import { jwtVerify, SignJWT } from 'jose';
import { JOSEError } from 'jose/errors';
import type { Finding } from './finding.ts';
import { decodeFinding, encodeFinding } from './finding.ts';
import { limits } from './limits.ts';
import type { MoveHistory } from './move-history.ts';
import { decodeMoveHistory, encodeMoveHistory } from './move-history.ts';
import { isChannel, isChannelPattern, isToken } from './names.ts';

/** A signing key. `id` is the `kid`; `secret` has at least 32 bytes, as HS256 requires. */
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
  /** If present, only this shard accepts the ticket. */
  readonly shard?: string;
  /** The start of that shard that accepts it; absent if router or shard are of an earlier release. */
  readonly incarnation?: string;
  /** The client's first subscriptions. */
  readonly channels: readonly string[];
  /** Patterns of the channels that it may subscribe to later; `['>']` is everything. */
  readonly allow: readonly string[];
  /** Channels that it asked for but may not have: `error` messages after the welcome answer them. */
  readonly denied: readonly string[];
  /** Whether the client came by TLS; moves then send it to `wss` URLs. */
  readonly tls: boolean;
  /** The fastest pool that the client wants (`class=`, Save-Data); no shard moves it to a faster one. */
  readonly ceiling?: string;
  /** Absent for a new client. */
  readonly history?: MoveHistory;
  /** What the router knows of the client's network; absent if there is nothing to choose. */
  readonly finding?: Finding;
  /** The router's mark of the client's network; the hint of a move is valid for that network only. */
  readonly network?: string;
  /** When the user's token expires, in seconds since 1970: a hint of a move replaces the token no longer than that. */
  readonly tokenExpiresS?: number;
}

/** A moved or recently measured client shows this to the router instead of a token and a probe. */
export interface Hint {
  readonly id: string;
  /** The measured class: the name of a pool. */
  readonly pool: string;
  readonly allow: readonly string[];
  /** The shard to avoid: the one that moves the client. */
  readonly avoid?: string;
  /** The router must measure again: `pool` is then only the pool that was too fast or too slow for the client. */
  readonly measure?: boolean;
  /** As in the ticket: a moved client does not repeat its wish. */
  readonly ceiling?: string;
  readonly history?: MoveHistory;
  /** What the shard found that moves the client; the router need not measure again if it is certain. */
  readonly finding?: Finding;
  /** The router's mark of the network that the hint is for; from another network the client is measured again. */
  readonly network?: string;
  /** As in the ticket. */
  readonly tokenExpiresS?: number;
  readonly rttMs?: number;
  readonly kbps?: number;
}

/** Why a ticket or hint was refused. `FORGED` covers everything without a signature of these keys. */
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
/** A JWS whose signature is the canonical text of its 32 bytes: the last character's two spare bits are zero. */
const JWS = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$/;

/**
 * Parses `kid:base64url-secret[,kid:secret…]`: the first key signs, all of them verify.
 * Throws an `Error` whose message never contains the secret.
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

/** The key for Web Crypto, imported once: an import costs as much as a signature. */
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
  /** Lifetime; at most `limits.ticketTtlMs` or `limits.hintTtlMs`, rounded up to whole seconds. */
  readonly ttlMs: number;
}

/**
 * Signs a ticket. Rejects with a `RangeError` if its lifetime or its text would be longer than allowed. With the longest
 * names of everything the finding has no room: that client gets no second look.
 */
export async function issueTicket(ticket: Ticket, { key, nowMs, ttlMs }: Signing): Promise<string> {
  if (ttlMs > limits.ticketTtlMs) throw new RangeError(`a ticket lives at most ${limits.ticketTtlMs} ms`);
  const { finding, ...rest } = ticket;
  const signing = { type: TICKET_TYPE, id: ticket.id, audience: ticket.pool, key, nowMs, ttlMs };
  const whole = await sign(ticketClaims(ticket), signing);
  if (finding === undefined || whole.length <= limits.ticketChars) return fitting(whole);
  return fitting(await sign(ticketClaims(rest), signing));
}

function ticketClaims(ticket: Ticket): Record<string, unknown> {
  return {
    ch: ticket.channels.join(),
    al: ticket.allow.join(),
    ...(ticket.denied.length > 0 ? { dn: ticket.denied.join() } : {}),
    ...(ticket.tls ? { tls: true } : {}),
    ...(ticket.shard === undefined ? {} : { sh: ticket.shard }),
    ...(ticket.incarnation === undefined ? {} : { in: ticket.incarnation }),
    ...courseClaims(ticket),
  };
}

/** Signs a hint. Rejects with a `RangeError` if its text would be longer than allowed. */
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
  return fitting(
    await sign(claims, { type: HINT_TYPE, id: hint.id, audience: hint.pool, key, nowMs, ttlMs }),
  );
}

interface SignParts extends Signing {
  readonly type: string;
  readonly id: string;
  readonly audience: string;
}

async function sign(claims: Record<string, unknown>, parts: SignParts): Promise<string> {
  const issuedAt = Math.floor(parts.nowMs / 1000);
  return new SignJWT(claims)
    .setProtectedHeader({ alg: ALGORITHM, kid: parts.key.id, typ: parts.type })
    .setJti(parts.id)
    .setAudience(parts.audience)
    .setIssuedAt(issuedAt)
    .setExpirationTime(issuedAt + Math.ceil(parts.ttlMs / 1000))
    .sign(await imported(parts.key));
}

function fitting(token: string): string {
  if (token.length > limits.ticketChars) throw new RangeError(`longer than ${limits.ticketChars} characters`);
  return token;
}

/** The checking service: its keys, its clock, and (for tickets) its pool and shard. */
export interface TicketVerifier {
  readonly keys: readonly TicketKey[];
  readonly nowMs: number;
  readonly pool: string;
  readonly shard: string;
  /** This start of the shard; a ticket that names no start is valid for every start. */
  readonly incarnation?: string;
}

/** Checks a ticket's signature, time, audience and shard. The shard itself enforces single use. */
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

/** The claims that tickets and hints carry from move to move. */
type Course = Pick<Ticket, 'ceiling' | 'finding' | 'history' | 'network' | 'tokenExpiresS'>;

function courseClaims({
  ceiling,
  finding,
  history,
  network,
  tokenExpiresS,
}: Course): Record<string, unknown> {
  return {
    ...(network === undefined ? {} : { nw: network }),
    ...(tokenExpiresS === undefined ? {} : { te: tokenExpiresS }),
    ...(ceiling === undefined ? {} : { ce: ceiling }),
    ...(history === undefined ? {} : { mh: encodeMoveHistory(history) }),
    ...(finding === undefined ? {} : { fi: encodeFinding(finding) }),
  };
}

function courseOf({ ce, fi, mh, nw, te }: Readonly<Record<string, unknown>>): Course {
  const history = decodeMoveHistory(mh);
  const finding = decodeFinding(fi);
  return {
    ...(typeof nw === 'string' ? { network: nw } : {}),
    ...(isSeconds(te) ? { tokenExpiresS: te } : {}),
    ...(typeof ce === 'string' && isToken(ce, 64) ? { ceiling: ce } : {}),
    ...(history === undefined ? {} : { history }),
    ...(finding === undefined ? {} : { finding }),
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
  /** Maximum lifetime from issue to expiry. */
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
    // `1e400` is a number in JSON: accept only whole seconds, and no lifetime above the maximum.
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

/** Names in a claim: joined by commas, which need less room in a URL than a list. */
function texts(claim: unknown, valid: (text: string) => boolean): readonly string[] | undefined {
  if (typeof claim !== 'string') return undefined;
  const names = claim === '' ? [] : claim.split(',');
  return names.length <= limits.channelsPerConnection && names.every(valid) ? names : undefined;
}

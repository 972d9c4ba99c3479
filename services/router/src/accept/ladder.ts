// The ladder of refusals, cheapest first: path, method, upgrade, handshake, query, origin, rate, room.
// What needs a signature (token, hint) comes after it. Must never touch the socket.
import type { IncomingMessage } from 'node:http';
import { paths } from '@weir/protocol';
import type { RouterConfig } from '../config.ts';
import type { Cidr } from './address.ts';
import { forwardedTls, originate, parseCidr } from './address.ts';
import type { OriginRule } from './origins.ts';
import { originProblem } from './origins.ts';
import type { RateLimit } from './rate.ts';
import type { Refusal } from './refusal.ts';
import type { Query } from './request.ts';
import { parseOffer, parseQuery, splitTarget } from './request.ts';

/** A client that has come up the ladder. */
export interface Arrival extends Query {
  /** Whether it offered `weir.v1`. */
  readonly version: boolean;
  readonly saveData: boolean;
  readonly tls: boolean;
  readonly network: string;
}

/** An arrival, or a refusal; `version` says whether the client understands a close. */
export type Verdict =
  | { readonly arrival: Arrival }
  | { readonly refusal: Refusal; readonly version: boolean };

/** What the ladder is made of. */
export interface LadderOptions {
  /** Path of the router's public URL, where it has one; requests may come with it or without. */
  readonly basePath: string;
  readonly pools: readonly string[];
  readonly origins: OriginRule;
  readonly trusted: readonly Cidr[];
  readonly rate: RateLimit;
  /** What to assume where no trusted proxy says it. */
  readonly tlsByDefault: boolean;
  /** Whether one more client may be probed now. */
  readonly hasRoom: () => boolean;
  readonly random: () => number;
}

/** The ladder that the configuration asks for. */
export function createLadder(
  o: Pick<LadderOptions, 'rate' | 'hasRoom' | 'random'> & {
    readonly config: Pick<
      RouterConfig,
      'publicUrl' | 'pools' | 'allowedOrigins' | 'requireOrigin' | 'trustedProxies'
    >;
  },
): LadderOptions {
  const { rate, hasRoom, random, config } = o;
  const { publicUrl, pools, allowedOrigins, requireOrigin, trustedProxies } = config;
  return {
    basePath: publicUrl === undefined ? '' : new URL(publicUrl).pathname.replace(/\/+$/, ''),
    pools,
    origins: { allowed: allowedOrigins, required: requireOrigin },
    trusted: trustedProxies.map(parseCidr),
    rate,
    tlsByDefault: publicUrl?.startsWith('wss:') ?? false,
    hasRoom,
    random,
  };
}

const upgradeHint: Refusal = {
  reason: 'upgrade',
  status: 426,
  code: 'UPGRADE_REQUIRED',
  message: `this is a WebSocket endpoint: open it with a WebSocket client, as in new WebSocket('ws://<host>${paths.connect}?channels=lobby')`,
  headers: { Upgrade: 'websocket', Connection: 'Upgrade, close' },
};

/** The rungs that need no upgrade: path and method. */
function refuseTarget(request: IncomingMessage, basePath: string): Refusal | undefined {
  const { path } = splitTarget(request.url ?? '');
  if (path !== paths.connect && path !== `${basePath}${paths.connect}`) {
    return {
      reason: 'path',
      status: 404,
      code: 'NOT_FOUND',
      message: `there is nothing here: clients open a WebSocket at ${paths.connect}?channels=<names>`,
    };
  }
  if (request.method === 'GET') return undefined;
  return {
    reason: 'method',
    status: 405,
    code: 'METHOD_NOT_ALLOWED',
    message: 'only GET, with an upgrade to WebSocket',
    headers: { Allow: 'GET' },
  };
}

/** The answer to a request that asks for no upgrade. */
export function refusePlain(request: IncomingMessage, basePath: string): Refusal {
  return refuseTarget(request, basePath) ?? upgradeHint;
}

/** Judges an upgrade request. */
export function climb(request: IncomingMessage, o: LadderOptions): Verdict {
  const early = refuseTarget(request, o.basePath) ?? refuseHandshake(request);
  if (early !== undefined) return { refusal: early, version: false };
  const offer = parseOffer(request.headersDistinct['sec-websocket-protocol'] ?? []);
  if ('problem' in offer) {
    return { refusal: { ...badRequest(offer.problem), reason: 'handshake' }, version: false };
  }
  const { version } = offer;
  const query = parseQuery(splitTarget(request.url ?? '').query, o.pools);
  // A client that can be told by a close takes a place of its own until then, so its query is refused further up.
  if ('problem' in query && !version) return { refusal: badRequest(query.problem), version };
  const from = originate(
    request.socket.remoteAddress,
    request.headersDistinct['x-forwarded-for'] ?? [],
    o.trusted,
  );
  const refusal = refuseOrigin(request, o) ?? refuseRate(from.network, o) ?? refuseRoom(o);
  if (refusal !== undefined) return { refusal, version };
  if ('problem' in query)
    return { refusal: { ...badRequest(query.problem), close: 'protocolError' }, version };
  const forwarded = forwardedTls(request.headersDistinct['x-forwarded-proto'] ?? []);
  const arrival = {
    ...query,
    ...(offer.token === undefined ? {} : { token: offer.token }),
    version,
    saveData: request.headers['save-data']?.toString().trim().toLowerCase() === 'on',
    tls: (from.viaTrusted ? forwarded : undefined) ?? o.tlsByDefault,
    network: from.network,
  };
  return { arrival };
}

function badRequest(message: string): Refusal {
  return { reason: 'query', status: 400, code: 'BAD_REQUEST', message };
}

function refuseHandshake(request: IncomingMessage): Refusal | undefined {
  const { upgrade } = request.headers;
  if (upgrade?.trim().toLowerCase() !== 'websocket') return upgradeHint;
  const wrong = (message: string): Refusal => ({ ...badRequest(message), reason: 'handshake' });
  if (request.headers['sec-websocket-version'] !== '13') {
    return {
      ...wrong('only version 13 of the WebSocket protocol (RFC 6455)'),
      status: 426,
      headers: { Upgrade: 'websocket', Connection: 'Upgrade, close', 'Sec-WebSocket-Version': '13' },
    };
  }
  return /^[+/0-9A-Za-z]{22}==$/.test(request.headers['sec-websocket-key'] ?? '')
    ? undefined
    : wrong('Sec-WebSocket-Key is missing or not valid');
}

function refuseOrigin(request: IncomingMessage, o: LadderOptions): Refusal | undefined {
  const message = originProblem(request.headersDistinct['origin'] ?? [], o.origins);
  return message === undefined
    ? undefined
    : { reason: 'origin', status: 403, code: 'ORIGIN_NOT_ALLOWED', message, close: 'originRefused' };
}

function refuseRate(network: string, o: LadderOptions): Refusal | undefined {
  const verdict = o.rate.take(network);
  if (verdict.ok) return undefined;
  return {
    reason: 'rate',
    status: 429,
    code: 'TOO_MANY_CONNECTS',
    message: 'too many connects from this address; wait as long as Retry-After says',
    headers: { 'Retry-After': String(verdict.waitS) },
  };
}

/** Spread over five seconds, so that clients refused together do not reconnect together. */
const retrySpreadS = 5;

function refuseRoom(o: LadderOptions): Refusal | undefined {
  if (o.hasRoom()) return undefined;
  const waitS = 1 + Math.floor(o.random() * retrySpreadS);
  return {
    reason: 'room',
    status: 503,
    code: 'BUSY',
    message: 'too many clients are being measured at this moment; wait as long as Retry-After says',
    headers: { 'Retry-After': String(waitS) },
  };
}

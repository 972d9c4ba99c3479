// Control's request to a shard with too many clients, and the shard's answer: `weir.ctl.shed.<shard>`. Every field is
// checked on the way in, because any NATS client with the permission can send one.

/** Asks a shard to move clients to other shards. */
export interface ShedRequest {
  readonly v: 1;
  /** Maximum number of clients; the shard chooses which. */
  readonly moves: number;
  /** Time that each of them has. */
  readonly withinMs: number;
}

/** The shard's immediate answer. */
export interface ShedAnswer {
  readonly v: 1;
  /** How many clients it asks to move; 0 while it drains, is stale or not ready. */
  readonly accepted: number;
}

/** Maximum moves of one request: those of one second. */
export const maxShedMoves = 500;
const minWithinMs = 1_000;
const maxWithinMs = 60_000;
const maxBytes = 256;

/** The request as JSON. Throws a `RangeError` if a value is out of its bounds. */
export function encodeShedRequest({ moves, withinMs }: Omit<ShedRequest, 'v'>): Uint8Array {
  const request: ShedRequest = { v: 1, moves, withinMs };
  if (!isRequest(request)) throw new RangeError(`a shed request cannot carry ${moves} and ${withinMs}`);
  return encode(request);
}

/** The request in these bytes, or undefined if they are not valid. Never throws. */
export function decodeShedRequest(bytes: Uint8Array): ShedRequest | undefined {
  const value = decode(bytes);
  if (!isRequest(value)) return undefined;
  return { v: 1, moves: value.moves, withinMs: value.withinMs };
}

/** The answer as JSON. Throws a `RangeError` if the number is out of its bounds. */
export function encodeShedAnswer({ accepted }: Omit<ShedAnswer, 'v'>): Uint8Array {
  const answer: ShedAnswer = { v: 1, accepted };
  if (!isAnswer(answer)) throw new RangeError(`a shed answer cannot carry ${accepted}`);
  return encode(answer);
}

/** The answer in these bytes, or undefined if they are not valid. Never throws. */
export function decodeShedAnswer(bytes: Uint8Array): ShedAnswer | undefined {
  const value = decode(bytes);
  return isAnswer(value) ? { v: 1, accepted: value.accepted } : undefined;
}

function isRequest(value: unknown): value is ShedRequest {
  return (
    isVersion1(value) &&
    isWhole(Reflect.get(value, 'moves'), 1, maxShedMoves) &&
    isWhole(Reflect.get(value, 'withinMs'), minWithinMs, maxWithinMs)
  );
}

function isAnswer(value: unknown): value is ShedAnswer {
  return isVersion1(value) && isWhole(Reflect.get(value, 'accepted'), 0, maxShedMoves);
}

function isVersion1(value: unknown): value is object {
  return typeof value === 'object' && value !== null && Reflect.get(value, 'v') === 1;
}

function isWhole(value: unknown, min: number, max: number): boolean {
  return Number.isSafeInteger(value) && Number(value) >= min && Number(value) <= max;
}

function encode(value: ShedRequest | ShedAnswer): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value));
}

function decode(bytes: Uint8Array): unknown {
  if (bytes.byteLength > maxBytes) return undefined;
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    return undefined;
  }
}

// What control asks of a shard that has too many clients, and what the shard answers: `weir.ctl.shed.<shard>`, a
// request with a reply. Everything is checked on the way in, since whoever may publish to NATS can claim anything.

/** Asks a shard to send clients away. */
export interface ShedRequest {
  readonly v: 1;
  /** At most so many clients; the shard chooses which. */
  readonly moves: number;
  /** How long each of them may take. */
  readonly withinMs: number;
}

/** The shard's answer, at once. */
export interface ShedAnswer {
  readonly v: 1;
  /** How many it asks to move; 0 while it drains, is stale or not ready. */
  readonly accepted: number;
}

/** One request asks for a second's worth of moves at most. */
export const maxShedMoves = 500;
const minWithinMs = 1_000;
const maxWithinMs = 60_000;
const maxBytes = 256;

/** The request as JSON. Throws a `RangeError` where a value is out of its bounds. */
export function encodeShedRequest({ moves, withinMs }: Omit<ShedRequest, 'v'>): Uint8Array {
  const request: ShedRequest = { v: 1, moves, withinMs };
  if (!isRequest(request)) throw new RangeError(`a shed request cannot carry ${moves} and ${withinMs}`);
  return encode(request);
}

/** The request in these bytes, or nothing where they are not one. Never throws. */
export function decodeShedRequest(bytes: Uint8Array): ShedRequest | undefined {
  const value = decode(bytes);
  if (!isRequest(value)) return undefined;
  return { v: 1, moves: value.moves, withinMs: value.withinMs };
}

/** The answer as JSON. Throws a `RangeError` where the number is out of its bounds. */
export function encodeShedAnswer({ accepted }: Omit<ShedAnswer, 'v'>): Uint8Array {
  const answer: ShedAnswer = { v: 1, accepted };
  if (!isAnswer(answer)) throw new RangeError(`a shed answer cannot carry ${accepted}`);
  return encode(answer);
}

/** The answer in these bytes, or nothing where they are not one. Never throws. */
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

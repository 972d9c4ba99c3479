// The load report of a shard: its shape, its bounds, its bytes. Everything in it is checked on the way in,
// since whoever may publish to NATS can claim anything.
import { isBaseUrl, isToken } from '@weir/protocol';

/** One report of one shard, sent once a second. */
export interface Beat {
  readonly v: 1;
  readonly pool: string;
  readonly shard: string;
  /** Public base of the shard, `ws://` or `wss://`: paths are appended to it, so no slash at its end. */
  readonly url: string;
  readonly connections: number;
  /** Most connections that this shard takes; at least 1. */
  readonly capacity: number;
  /** Bytes sent to clients and not yet proven to have arrived. */
  readonly backlogBytes: number;
  /** The part of it that belongs to clients which are not merely slow; missing where the shard does not tell. */
  readonly healthyBacklogBytes?: number;
  /** What of that was sent more than a healthy round trip ago; missing where the shard does not tell. */
  readonly awaitedBytes?: number;
  readonly egressBytesPerSecond: number;
  /** 0 to 1. */
  readonly loopUtilisation: number;
  readonly tickLatenessMs: number;
  /** Moves its clients away and ends. */
  readonly draining: boolean;
  /** Has lost NATS and serves what it had. */
  readonly stale: boolean;
  /** Has caught up and takes clients. */
  readonly ready: boolean;
  /** Made anew at each start of the shard: its tickets are for this start alone. Shards of before do not tell. */
  readonly incarnation?: string;
  /** Which rollout it belongs to; empty outside Kubernetes. */
  readonly revision: string;
  /** The sender's wall clock, only to report how far it is from ours. */
  readonly wallMs: number;
}

type Check<T> = (value: unknown) => value is T;
type Schema = { readonly [K in keyof Beat]-?: Check<Exclude<Beat[K], undefined>> };

/** A whole beat as JSON; ours have about 400, one with every field at its limit 1,100. */
const maxBeatBytes = 2_048;
/** As in the settings of shard and router. */
const maxNameChars = 64;
const maxIncarnationChars = 32;
const revisionPattern = /^[A-Za-z0-9._-]{0,128}$/;

/** The last moment that a `Date` can hold. */
const maxWallMs = 8.64e15;

function whole(min: number, max: number): Check<number> {
  return (value): value is number =>
    Number.isSafeInteger(value) && Number(value) >= min && Number(value) <= max;
}

function finite(max: number): Check<number> {
  return (value): value is number => typeof value === 'number' && value >= 0 && value <= max;
}

function matching(accepts: (text: string) => boolean): Check<string> {
  return (value): value is string => typeof value === 'string' && accepts(value);
}

function isFlag(value: unknown): value is boolean {
  return typeof value === 'boolean';
}

function isVersion(value: unknown): value is 1 {
  return value === 1;
}

const isName = matching((text) => isToken(text, maxNameChars));

const schema: Schema = {
  v: isVersion,
  pool: isName,
  shard: isName,
  url: matching(isBaseUrl),
  connections: whole(0, 10_000_000),
  capacity: whole(1, 10_000_000),
  backlogBytes: whole(0, Number.MAX_SAFE_INTEGER),
  healthyBacklogBytes: whole(0, Number.MAX_SAFE_INTEGER),
  awaitedBytes: whole(0, Number.MAX_SAFE_INTEGER),
  egressBytesPerSecond: finite(1e12),
  loopUtilisation: finite(1),
  tickLatenessMs: finite(1e9),
  draining: isFlag,
  stale: isFlag,
  ready: isFlag,
  incarnation: matching((text) => isToken(text, maxIncarnationChars)),
  revision: matching((text) => revisionPattern.test(text)),
  wallMs: finite(maxWallMs),
};

const fields = Object.entries(schema);
const optional: readonly string[] = ['healthyBacklogBytes', 'awaitedBytes', 'incarnation'];

function fits(value: object, name: string, accepts: Check<unknown>): boolean {
  return Object.hasOwn(value, name) ? accepts(Reflect.get(value, name)) : optional.includes(name);
}

function isBeat(value: unknown): value is Beat {
  if (typeof value !== 'object' || value === null) return false;
  return fields.every(([name, accepts]) => fits(value, name, accepts));
}

/** The known fields alone: what a newer shard adds is ignored, never carried on. */
function copy(beat: Beat): Beat {
  const { v, pool, shard, url, connections, capacity, backlogBytes, egressBytesPerSecond } = beat;
  const { loopUtilisation, tickLatenessMs, draining, stale, ready, revision, wallMs } = beat;
  const { healthyBacklogBytes, awaitedBytes, incarnation } = beat;
  const healthy = healthyBacklogBytes === undefined ? {} : { healthyBacklogBytes };
  const awaited = awaitedBytes === undefined ? {} : { awaitedBytes };
  const backlog = { backlogBytes, ...healthy, ...awaited };
  const load = { connections, capacity, ...backlog, egressBytesPerSecond, loopUtilisation, tickLatenessMs };
  const start = incarnation === undefined ? {} : { incarnation };
  return { v, pool, shard, ...start, url, ...load, draining, stale, ready, revision, wallMs };
}

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The beat as JSON. Throws a `RangeError` that names what `decodeBeat` would not take. */
export function encodeBeat(beat: Beat): Uint8Array {
  const wrong = fields.filter(([name, accepts]) => !fits(beat, name, accepts)).map(([name]) => name);
  if (wrong.length > 0) throw new RangeError(`a beat cannot carry these values: ${wrong.join(', ')}`);
  return encoder.encode(JSON.stringify(copy(beat)));
}

/** The beat in these bytes, or nothing where they are not one. Never throws. */
export function decodeBeat(bytes: Uint8Array): Beat | undefined {
  if (bytes.byteLength > maxBeatBytes) return undefined;
  try {
    const value: unknown = JSON.parse(decoder.decode(bytes));
    return isBeat(value) ? copy(value) : undefined;
  } catch {
    return undefined;
  }
}

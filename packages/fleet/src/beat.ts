// The heartbeat, a shard's load report: its shape, bounds and encoding. Every field is checked on the way in, because
// any NATS client with the permission can send one.
import { isBaseUrl, isToken } from '@weir/protocol';

/** One report of one shard, sent once a second. */
export interface Beat {
  readonly v: 1;
  readonly pool: string;
  readonly shard: string;
  /** Public base of the shard, `ws://` or `wss://`: paths are appended to it, so so it has no slash at its end. */
  readonly url: string;
  readonly connections: number;
  /** Maximum connections of this shard; at least 1. */
  readonly capacity: number;
  /** Bytes sent to clients and not yet proven to have arrived. */
  readonly backlogBytes: number;
  /** The part of it that belongs to clients that are not merely slow; missing if the shard does not report it. */
  readonly healthyBacklogBytes?: number;
  /** The part of that sent more than a healthy round trip ago; missing if the shard does not report it. */
  readonly awaitedBytes?: number;
  readonly egressBytesPerSecond: number;
  /** 0 to 1. */
  readonly loopUtilisation: number;
  readonly tickLatenessMs: number;
  /** Whether the shard moves its clients away and ends. */
  readonly draining: boolean;
  /** Whether the shard has lost NATS and serves its last data. */
  readonly stale: boolean;
  /** Whether the shard has caught up and accepts clients. */
  readonly ready: boolean;
  /**
   * New at each start of the shard: its tickets are valid for this start only. Missing from shards of earlier
   * releases.
   */
  readonly incarnation?: string;
  /** Its rollout; empty outside Kubernetes. */
  readonly revision: string;
  /** The sender's wall clock, only to report the difference from this process's clock. */
  readonly wallMs: number;
}

type Check<T> = (value: unknown) => value is T;
type Schema = { readonly [K in keyof Beat]-?: Check<Exclude<Beat[K], undefined>> };

/** Maximum size of a heartbeat as JSON. A usual one has about 400 bytes, one with every field at its limit 1,100. */
const maxBeatBytes = 2_048;
/** As in the settings of shard and router. */
const maxNameChars = 64;
const maxIncarnationChars = 32;
const revisionPattern = /^[A-Za-z0-9._-]{0,128}$/;

/** The latest time that a `Date` can hold. */
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

/** Only the known fields: fields of newer shards are dropped. */
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

/** The heartbeat as JSON. Throws a `RangeError` that names a field that `decodeBeat` would refuse. */
export function encodeBeat(beat: Beat): Uint8Array {
  const wrong = fields.filter(([name, accepts]) => !fits(beat, name, accepts)).map(([name]) => name);
  if (wrong.length > 0) throw new RangeError(`a beat cannot carry these values: ${wrong.join(', ')}`);
  return encoder.encode(JSON.stringify(copy(beat)));
}

/** The heartbeat in these bytes, or undefined if they are not valid. Never throws. */
export function decodeBeat(bytes: Uint8Array): Beat | undefined {
  if (bytes.byteLength > maxBeatBytes) return undefined;
  try {
    const value: unknown = JSON.parse(decoder.decode(bytes));
    return isBeat(value) ? copy(value) : undefined;
  } catch {
    return undefined;
  }
}

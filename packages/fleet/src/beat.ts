// The load report of a shard: its shape, its bounds, its bytes. Everything in it is checked on the way in,
// since whoever may publish to NATS can claim anything.
import { isToken } from '@weir/protocol';

/** One report of one shard, sent once a second. */
export interface Beat {
  readonly v: 1;
  readonly pool: string;
  readonly shard: string;
  /** Public base of the shard, `ws://` or `wss://`, without a path. */
  readonly url: string;
  readonly connections: number;
  /** Most connections that this shard takes; at least 1. */
  readonly capacity: number;
  /** Bytes sent to clients and not yet proven to have arrived. */
  readonly backlogBytes: number;
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
  /** Which rollout it belongs to; empty outside Kubernetes. */
  readonly revision: string;
  /** The sender's wall clock, only to report how far it is from ours. */
  readonly wallMs: number;
}

/** A beat with every field at its limit is a third of this. */
const maxBytes = 2_048;
const maxNameChars = 64;
const maxUrlChars = 512;
/** Larger than any machine's, small enough that sums stay exact. */
const maxQuantity = 1e15;

/** The beat as JSON. Throws a `RangeError` where it is not one that `decodeBeat` would take. */
export function encodeBeat(beat: Beat): Uint8Array {
  const bytes = new TextEncoder().encode(JSON.stringify(beat));
  if (decodeBeat(bytes) === undefined) throw new RangeError('a field of the beat is out of its bounds');
  return bytes;
}

/** The beat in these bytes, or nothing where they are not one. Never throws. */
export function decodeBeat(bytes: Uint8Array): Beat | undefined {
  if (bytes.length > maxBytes) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const fields = new Map<string, unknown>(Object.entries(value));
  return isBeat(fields)
    ? (Object.fromEntries([...checks.keys()].map((name) => [name, fields.get(name)])) as never)
    : undefined;
}

type Check = (value: unknown) => boolean;

const name: Check = (value) => typeof value === 'string' && isToken(value, maxNameChars);
const flag: Check = (value) => typeof value === 'boolean';
const quantity: Check = (value) => typeof value === 'number' && value >= 0 && value <= maxQuantity;
const whole: Check = (value) => Number.isSafeInteger(value) && quantity(value);

/** What each field must be; a beat with more fields (a newer shard's) is taken without them. */
const checks: ReadonlyMap<keyof Beat, Check> = new Map<keyof Beat, Check>([
  ['v', (value) => value === 1],
  ['pool', name],
  ['shard', name],
  ['url', isPublicUrl],
  ['connections', whole],
  ['capacity', (value) => whole(value) && value !== 0],
  ['backlogBytes', quantity],
  ['egressBytesPerSecond', quantity],
  ['loopUtilisation', (value) => quantity(value) && Number(value) <= 1],
  ['tickLatenessMs', quantity],
  ['draining', flag],
  ['stale', flag],
  ['ready', flag],
  ['revision', (value) => value === '' || name(value)],
  ['wallMs', quantity],
]);

function isBeat(fields: ReadonlyMap<string, unknown>): boolean {
  return [...checks].every(([field, check]) => check(fields.get(field)));
}

function isPublicUrl(value: unknown): boolean {
  if (typeof value !== 'string' || value.length > maxUrlChars || !/^wss?:\/\/[^\s?#@]+$/.test(value))
    return false;
  return URL.canParse(value) && !value.endsWith('/');
}

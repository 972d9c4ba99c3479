// Decides the changes to an existing stream. Pure. It only raises limits of retention, so that two versions with
// different settings do not undo each other's changes in turn.
import type { StreamConfig, StreamUpdateConfig } from '@nats-io/jetstream';
import { DiscardPolicy, RetentionPolicy, StorageType } from '@nats-io/jetstream';

/** A stream as it must be. Limits are minimums unless listed in `exact`. */
export interface StreamDefinition {
  readonly name: string;
  readonly subjects: readonly string[];
  readonly storage: 'file' | 'memory';
  readonly maxMsgsPerSubject: number;
  /** Milliseconds; 0 keeps messages of any age. */
  readonly maxAgeMs: number;
  readonly maxBytes: number;
  readonly duplicateWindowMs?: number;
  readonly discard: 'old' | 'new';
  readonly allowDirect: boolean;
  readonly republish?: { readonly src: string; readonly dest: string };
  readonly replicas: number;
  /** Limits that must be exactly ours, so they may be lowered too. */
  readonly exact?: readonly 'maxMsgsPerSubject'[];
}

type Changes = Partial<StreamUpdateConfig>;

/** A limit of the stream that is larger than the definition's, and how a person lowers it. */
interface LargerLimit {
  readonly setting: string;
  readonly inPlace: number;
  readonly ours: number;
  readonly toLower: string;
}

/** The changes, and the differences that stay. */
export interface StreamPlan {
  /** Empty if the stream is as it must be. */
  readonly changes: Changes;
  readonly larger: readonly LargerLimit[];
  /** Why the stream cannot be ours, in words. */
  readonly conflict?: string;
}

const nanosPerMs = 1_000_000;
const storages = { file: StorageType.File, memory: StorageType.Memory } as const;
const discards = { old: DiscardPolicy.Old, new: DiscardPolicy.New } as const;

/** The configuration of a stream that does not exist yet. */
export function newStream(definition: StreamDefinition): Partial<StreamConfig> & { name: string } {
  return {
    name: definition.name,
    subjects: [...definition.subjects],
    retention: RetentionPolicy.Limits,
    storage: storages[definition.storage],
    discard: discards[definition.discard],
    max_msgs_per_subject: definition.maxMsgsPerSubject,
    max_age: definition.maxAgeMs * nanosPerMs,
    max_bytes: definition.maxBytes,
    num_replicas: definition.replicas,
    allow_direct: definition.allowDirect,
    ...(definition.republish === undefined ? {} : { republish: { ...definition.republish } }),
    ...(definition.duplicateWindowMs === undefined
      ? {}
      : { duplicate_window: definition.duplicateWindowMs * nanosPerMs }),
  };
}

/** Compares an existing stream with its definition. */
export function planUpdate(current: StreamConfig, definition: StreamDefinition): StreamPlan {
  const conflict = conflictOf(current, definition);
  if (conflict !== undefined) return { changes: {}, larger: [], conflict };
  const limits = limitsOf(definition).map((limit) => ({ ...limit, inPlace: current[limit.key] }));
  const changes: Changes = structureOf(current, definition);
  for (const { key, ours, inPlace, exact } of limits) {
    if (exact ? inPlace !== ours : isLess(inPlace, ours)) changes[key] = ours;
  }
  const larger = limits.filter(
    ({ flag, inPlace, ours, exact }) => flag !== undefined && !exact && isLess(ours, inPlace),
  );
  return {
    changes,
    larger: larger.map(({ key, flag = '', inPlace, ours, show }) => ({
      setting: key,
      inPlace,
      ours,
      toLower: `nats stream edit ${definition.name} ${flag}=${show?.(ours) ?? ours}`,
    })),
  };
}

/** For NATS, zero and less mean "no limit". */
function isLess(a: number, b: number): boolean {
  if (a <= 0) return false;
  return b <= 0 || a < b;
}

interface Limit {
  readonly key:
    | 'max_age'
    | 'max_msgs_per_subject'
    | 'max_bytes'
    | 'max_msgs'
    | 'max_msg_size'
    | 'duplicate_window'
    | 'num_replicas';
  readonly ours: number;
  readonly exact?: boolean;
  /** Flag of the `nats` CLI, if a larger value is worth a log line. */
  readonly flag?: string;
  readonly show?: (value: number) => string;
}

function limitsOf(definition: StreamDefinition): readonly Limit[] {
  const { duplicateWindowMs } = definition;
  const seconds = (nanos: number): string => `${nanos / nanosPerMs / 1000}s`;
  return [
    { key: 'max_age', ours: definition.maxAgeMs * nanosPerMs, flag: '--max-age', show: seconds },
    {
      key: 'max_msgs_per_subject',
      ours: definition.maxMsgsPerSubject,
      exact: definition.exact?.includes('maxMsgsPerSubject') ?? false,
      flag: '--max-msgs-per-subject',
    },
    { key: 'max_bytes', ours: definition.maxBytes, flag: '--max-bytes' },
    { key: 'num_replicas', ours: definition.replicas, flag: '--replicas' },
    // A limit that the definition does not have would drop or refuse messages silently.
    { key: 'max_msgs', ours: -1 },
    { key: 'max_msg_size', ours: -1 },
    ...(duplicateWindowMs === undefined
      ? []
      : [{ key: 'duplicate_window', ours: duplicateWindowMs * nanosPerMs } as const]),
  ];
}

/** Settings that are not limits. */
function structureOf(current: StreamConfig, definition: StreamDefinition): Changes {
  const { republish } = definition;
  const changes: Changes = {};
  if (!definition.subjects.every((subject) => current.subjects.includes(subject))) {
    changes.subjects = [...definition.subjects];
  }
  const same = current.republish?.src === republish?.src && current.republish?.dest === republish?.dest;
  if (republish !== undefined && (!same || current.republish?.headers_only === true)) {
    changes.republish = { ...republish };
  }
  if (definition.allowDirect && !current.allow_direct) changes.allow_direct = true;
  if (current.no_ack === true) changes.no_ack = false;
  if (current.discard !== discards[definition.discard]) changes.discard = discards[definition.discard];
  if (current.discard_new_per_subject) changes.discard_new_per_subject = false;
  return changes;
}

function conflictOf(current: StreamConfig, definition: StreamDefinition): string | undefined {
  if (current.mirror !== undefined) return 'it is a mirror of another stream';
  if (current.sealed) return 'it is sealed';
  if (current.retention !== RetentionPolicy.Limits)
    return `its retention is "${current.retention}", not "limits"`;
  const ours = definition.subjects.some((subject) =>
    current.subjects.some((theirs) => overlap(subject, theirs)),
  );
  return ours ? undefined : `it holds other subjects (${current.subjects.join(', ').slice(0, 200)})`;
}

/** Whether a subject can match both patterns. */
function overlap(a: string, b: string): boolean {
  const left = a.split('.');
  const right = b.split('.');
  for (let i = 0; i < Math.min(left.length, right.length); i++) {
    if (left[i] === '>' || right[i] === '>') return true;
    if (left[i] !== right[i] && left[i] !== '*' && right[i] !== '*') return false;
  }
  return left.length === right.length;
}

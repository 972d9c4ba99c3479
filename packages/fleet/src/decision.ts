// One decision of a router about one client, for the console: what was measured, what followed, and why. It says nothing
// by which a client could be recognised: no address, no channel, no token.
import { isToken } from '@weir/protocol';

/** What the pool of a client follows from. */
export const DECISION_REASONS = [
  'measured',
  'silent',
  'noBudget',
  /** A signed hint had the result of an earlier measurement. */
  'hint',
  /** The second look of the shard that moved the client. */
  'shard',
  /** The client asked for the slowest pool, or there is one pool. */
  'notMeasured',
] as const;
export type DecisionReason = (typeof DECISION_REASONS)[number];

export interface Decision {
  /** Rises by one from each decision of this router to the next. */
  readonly n: number;
  /** The router's wall clock. */
  readonly wallMs: number;
  readonly why: DecisionReason;
  /** The line of the rule (docs/probe.md) that decided; missing without a measurement. */
  readonly line?: number;
  /** The pool that the client was sent to. */
  readonly pool: string;
  /** The pool that suits it, if every shard of that pool was full or away. */
  readonly wanted?: string;
  readonly confidence: 'high' | 'medium' | 'low';
  readonly rttMs?: number;
  readonly kbps?: number;
}

/** The newest decisions that a router keeps and tells. */
export const maxDecisions = 64;

const confidences: readonly unknown[] = ['high', 'medium', 'low'];
const reasons: readonly unknown[] = DECISION_REASONS;

export function isDecision(value: unknown): value is Decision {
  if (typeof value !== 'object' || value === null) return false;
  const at = (name: keyof Decision): unknown =>
    Object.hasOwn(value, name) ? Reflect.get(value, name) : undefined;
  const optional = (name: keyof Decision, fits: (one: unknown) => boolean): boolean =>
    at(name) === undefined || fits(at(name));
  return (
    isAmount(at('n')) &&
    isAmount(at('wallMs')) &&
    reasons.includes(at('why')) &&
    optional('line', isAmount) &&
    isPool(at('pool')) &&
    optional('wanted', isPool) &&
    confidences.includes(at('confidence')) &&
    optional('rttMs', isAmount) &&
    optional('kbps', isAmount)
  );
}

/** Only the known fields. */
export function copyDecision({
  n,
  wallMs,
  why,
  line,
  pool,
  wanted,
  confidence,
  rttMs,
  kbps,
}: Decision): Decision {
  const known = { n, wallMs, why, pool, confidence };
  return {
    ...known,
    ...(line === undefined ? {} : { line }),
    ...(wanted === undefined ? {} : { wanted }),
    ...(rttMs === undefined ? {} : { rttMs }),
    ...(kbps === undefined ? {} : { kbps }),
  };
}

function isAmount(value: unknown): boolean {
  return typeof value === 'number' && value >= 0 && value <= 1e15;
}

function isPool(value: unknown): boolean {
  return typeof value === 'string' && isToken(value, 64);
}

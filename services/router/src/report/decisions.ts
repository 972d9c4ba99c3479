// The newest decisions of this router, for the console. Bounded, and without anything by which a client could be
// recognised.
import type { Decision, DecisionReason } from '@weir/fleet';
import { maxDecisions } from '@weir/fleet';
import type { Confidence, Hint } from '@weir/protocol';
import type { ProbeResult } from '../probe/probe.ts';

/** What the router found of one client, and where it sent the client. */
export interface Outcome {
  readonly pool: string;
  readonly placed: string;
  readonly confidence: Confidence;
  readonly probe: ProbeResult | undefined;
  readonly hint: Pick<Hint, 'rttMs' | 'kbps'> | undefined;
}

export class Decisions {
  readonly #wallMs: () => number;
  readonly #kept: Decision[] = [];
  #n = 0;

  constructor(clock: { wallMs(): number }) {
    this.#wallMs = () => clock.wallMs();
  }

  /** Oldest first. */
  get newest(): readonly Decision[] {
    return this.#kept;
  }

  note({ pool, placed, confidence, probe, hint }: Outcome): void {
    const { rttMs, kbps } = probe ?? hint ?? {};
    this.#n += 1;
    if (this.#kept.length >= maxDecisions) this.#kept.shift();
    this.#kept.push({
      n: this.#n,
      wallMs: this.#wallMs(),
      why: reasonOf(probe, hint),
      pool: placed,
      confidence,
      ...(probe?.line === undefined ? {} : { line: probe.line }),
      ...(placed === pool ? {} : { wanted: pool }),
      ...(rttMs === undefined ? {} : { rttMs }),
      ...(kbps === undefined ? {} : { kbps }),
    });
  }
}

function reasonOf(probe: ProbeResult | undefined, hint: Outcome['hint']): DecisionReason {
  if (probe === undefined) return hint === undefined ? 'notMeasured' : 'hint';
  if (probe.outcome === 'told') return 'shard';
  return probe.outcome === 'noBudget' || probe.outcome === 'silent' ? probe.outcome : 'measured';
}

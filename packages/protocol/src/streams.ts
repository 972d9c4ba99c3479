// The two JetStream streams (docs/protocol.md, section 12), as plain descriptions. packages/runtime creates them.
import type { Subjects } from './subjects.ts';

/** The required configuration of a stream. Runtime's `ensureStreams` takes objects of this shape. */
export interface StreamDefinition {
  readonly name: string;
  readonly subjects: readonly string[];
  readonly storage: 'file' | 'memory';
  /** Messages kept per subject; 1 keeps only the latest value. */
  readonly maxMsgsPerSubject: number;
  /** How long a message is kept, in milliseconds; 0 keeps it until it is replaced. */
  readonly maxAgeMs: number;
  readonly maxBytes: number;
  readonly discard: 'old' | 'new';
  readonly allowDirect: boolean;
  readonly republish: { readonly src: string; readonly dest: string };
  readonly replicas: number;
  /** Settings that must be exactly these values; for the others, these values are minimums. */
  readonly exact: readonly 'maxMsgsPerSubject'[];
}

/** Retention of the critical lane, and maximum size of the streams. */
export interface StreamLimits {
  readonly criticalMaxAgeMs: number;
  readonly criticalMaxPerChannel: number;
  readonly maxBytes: number;
  readonly replicas: number;
}

/** Defaults: ten minutes and 10,000 critical messages per channel; 1 GiB per stream. */
export const defaultStreamLimits: StreamLimits = {
  criticalMaxAgeMs: 600_000,
  criticalMaxPerChannel: 10_000,
  maxBytes: 1_073_741_824,
  replicas: 1,
};

/** The state and the critical stream below a prefix: `WEIR_STATE` and `WEIR_CRITICAL` for `weir`. */
export function streamDefinitions(
  subjects: Subjects,
  given: StreamLimits = defaultStreamLimits,
): { readonly state: StreamDefinition; readonly critical: StreamDefinition } {
  const family = subjects.prefix.toUpperCase().replaceAll('.', '_');
  const common = {
    storage: 'file',
    maxBytes: given.maxBytes,
    allowDirect: true,
    replicas: given.replicas,
  } as const;
  return {
    state: {
      ...common,
      name: `${family}_STATE`,
      subjects: [subjects.all('state')],
      maxMsgsPerSubject: 1,
      maxAgeMs: 0,
      // A full state stream refuses new values and says so in the acknowledgement; it drops no key silently.
      discard: 'new',
      republish: { src: subjects.all('state'), dest: subjects.live('state') },
      exact: ['maxMsgsPerSubject'],
    },
    critical: {
      ...common,
      name: `${family}_CRITICAL`,
      subjects: [subjects.all('critical')],
      maxMsgsPerSubject: given.criticalMaxPerChannel,
      maxAgeMs: given.criticalMaxAgeMs,
      discard: 'old',
      republish: { src: subjects.all('critical'), dest: subjects.live('critical') },
      exact: [],
    },
  };
}

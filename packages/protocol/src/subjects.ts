// The NATS subjects (docs/protocol.md, section 12). Only this file builds and parses them.
import type { Lane } from './lanes.ts';
import { isLane } from './lanes.ts';
import { isChannel, isToken } from './names.ts';

/** The address in a data subject. Only the state lane has a `key`. */
export type Address =
  | { readonly lane: 'state'; readonly channel: string; readonly key: string }
  | { readonly lane: 'critical' | 'cosmetic'; readonly channel: string };

/** Builds and parses the subjects below one prefix. */
export interface Subjects {
  readonly prefix: string;
  /** The subject that a publisher uses. Throws a `RangeError` if a name is not valid. */
  data(address: Address): string;
  /** The address in a data subject; undefined if the subject is not Weir's or a name in it is not valid. */
  parse(subject: string): Address | undefined;
  /** The lane of a data subject, by its prefix alone. It gives the intended lane of a message that fails `parse`. */
  laneOf(subject: string): Lane | undefined;
  /** All data subjects of a lane, as a NATS wildcard. */
  all(lane: Lane): string;
  /** The subject to which a lane's stream republishes its messages: `weir.live.state.…` for `weir.state.…`. */
  live(lane: 'state' | 'critical'): string;
  /** The data subject behind a live subject. */
  fromLive(subject: string): string;
  beat(pool: string, shard: string): string;
  readonly allBeats: string;
  /** The heartbeats of all shards of a pool, as a NATS wildcard. */
  poolBeats(pool: string): string;
  shed(shard: string): string;
  /** Asks one shard to drain and end. */
  drain(shard: string): string;
  /** Asks every process for its figures. */
  readonly figures: string;
  /** Asks the leading control to rebalance now. */
  readonly rebalance: string;
  readonly rejected: string;
  /** A subject of the state stream that is not a key: the mark of a clean-up of deletions. */
  readonly cleanupMark: string;
  /** A subject of a stream, but no channel. The stream refuses messages to it; the refusal has its last sequence. */
  edge(lane: 'state' | 'critical'): string;
}

/** Whether `text` may be the prefix: one or more tokens joined by dots. */
export function isSubjectPrefix(text: string): boolean {
  return isChannel(text) && text.length <= 64;
}

const INBOX = /^_INBOX(?:\.[A-Za-z0-9_-]{1,64}){1,4}$/;

/**
 * Whether a reply subject is an inbox in the form that NATS clients use. An answer to any other subject would let the
 * sender of the request choose where this service publishes: into a stream, to another shard, to the JetStream API.
 */
export function isInbox(subject: string): boolean {
  return INBOX.test(subject);
}

/** The subjects below `prefix` (default `weir`). Throws a `RangeError` if the prefix is not valid. */
export function createSubjects(prefix = 'weir'): Subjects {
  if (!isSubjectPrefix(prefix)) throw new RangeError(`subject prefix is not valid: ${prefix}`);
  const lead = `${prefix}.`;
  const live = `${prefix}.live.`;
  const laneOf = (subject: string): Lane | undefined => {
    if (!subject.startsWith(lead)) return undefined;
    const dot = subject.indexOf('.', lead.length);
    const name = dot < 0 ? '' : subject.slice(lead.length, dot);
    return isLane(name) ? name : undefined;
  };
  return {
    prefix,
    laneOf,
    data(address) {
      const rest = address.lane === 'state' ? `${address.channel}.${address.key}` : address.channel;
      const valid = isChannel(address.channel) && (address.lane !== 'state' || isToken(address.key));
      if (!valid) throw new RangeError(`channel or key is not valid: ${rest}`);
      return `${lead}${address.lane}.${rest}`;
    },
    parse(subject) {
      const lane = laneOf(subject);
      if (lane === undefined) return undefined;
      const rest = subject.slice(lead.length + lane.length + 1);
      if (lane !== 'state') return isChannel(rest) ? { lane, channel: rest } : undefined;
      const dot = rest.lastIndexOf('.');
      const channel = rest.slice(0, Math.max(dot, 0));
      const key = rest.slice(dot + 1);
      return isChannel(channel) && isToken(key) ? { lane, channel, key } : undefined;
    },
    all: (lane) => `${lead}${lane}.>`,
    live: (lane) => `${live}${lane}.>`,
    fromLive: (subject) => (subject.startsWith(live) ? lead + subject.slice(live.length) : subject),
    beat: (pool, shard) => `${lead}ctl.beat.${pool}.${shard}`,
    allBeats: `${lead}ctl.beat.*.*`,
    poolBeats: (pool) => `${lead}ctl.beat.${pool}.*`,
    shed: (shard) => `${lead}ctl.shed.${shard}`,
    drain: (shard) => `${lead}ctl.drain.${shard}`,
    figures: `${lead}ctl.figures`,
    rebalance: `${lead}ctl.rebalance`,
    rejected: `${lead}rejected`,
    cleanupMark: `${lead}state.cleanup`,
    edge: (lane) => `${lead}${lane}.$edge`,
  };
}

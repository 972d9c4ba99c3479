// What a client says to a shard: subscribe and unsubscribe within its ticket, at a bounded rate. Pure decisions.
import type { CloseCode, ControlMessage } from '@weir/protocol';
import { channelAllowed, closeCodes, limits, parseClientMessage } from '@weir/protocol';

/** How often a client may speak: `burst` at once, `perSecond` in the long run. */
export interface InboundLimits {
  readonly perSecond: number;
  readonly burst: number;
}

/** What the shard does about a client's message. */
export type InboundAct =
  | {
      readonly act: 'subscribe' | 'unsubscribe';
      readonly channels: readonly string[];
      /** A subscription wants so many of the newest critical messages. */
      readonly last?: number | undefined;
      readonly errors: readonly ControlMessage[];
    }
  | { readonly act: 'answer'; readonly errors: readonly ControlMessage[] }
  | { readonly act: 'close'; readonly code: CloseCode; readonly reason: string };

/** The channels that a connection has, and those that it may have. */
export interface InboundView {
  readonly channels: readonly string[];
  readonly allow: readonly string[];
}

/** Decides about one message. */
export function judgeInbound(data: Buffer, binary: boolean, view: InboundView): InboundAct {
  if (binary)
    return { act: 'close', code: closeCodes.protocolError, reason: 'binary messages are not understood' };
  const parsed = parseClientMessage(data.toString());
  if ('problem' in parsed) {
    if (parsed.problem === 'tooMany' || parsed.problem === 'tooLong') return answer('CHANNEL_LIMIT');
    if (parsed.problem === 'invalid' || parsed.problem === 'empty') return answer('CHANNEL_INVALID');
    return {
      act: 'close',
      code: closeCodes.protocolError,
      reason: `message is not understood: ${parsed.problem}`,
    };
  }
  const { type, channels, last } = parsed.message;
  if (type === 'unsubscribe') {
    return { act: type, channels: channels.filter((channel) => view.channels.includes(channel)), errors: [] };
  }
  const allowed = channels.filter((channel) => channelAllowed(channel, view.allow));
  const added = allowed.filter((channel) => !view.channels.includes(channel));
  const chars = [...view.channels, ...added].reduce((sum, channel) => sum + channel.length + 1, 0);
  const fits =
    view.channels.length + added.length <= limits.channelsPerConnection && chars <= limits.channelsChars;
  const errors = channels
    .filter((channel) => !allowed.includes(channel))
    .map((channel): ControlMessage => ({ type: 'error', code: 'CHANNEL_FORBIDDEN', channel }));
  if (!fits) return { act: 'answer', errors: [...errors, { type: 'error', code: 'CHANNEL_LIMIT' }] };
  return { act: type, channels: added, last, errors };
}

function answer(code: 'CHANNEL_LIMIT' | 'CHANNEL_INVALID'): InboundAct {
  return { act: 'answer', errors: [{ type: 'error', code }] };
}

/** A token bucket for one client's frames. */
export class InboundRate {
  readonly #limits: InboundLimits;
  #tokens: number;
  #atMs: number;

  constructor(limits: InboundLimits, nowMs: number) {
    this.#limits = limits;
    this.#tokens = limits.burst;
    this.#atMs = nowMs;
  }

  /** Whether one more is within the rate. */
  take(nowMs: number): boolean {
    const earned = ((nowMs - this.#atMs) / 1000) * this.#limits.perSecond;
    this.#tokens = Math.min(this.#limits.burst, this.#tokens + earned);
    this.#atMs = nowMs;
    if (this.#tokens < 1) return false;
    this.#tokens--;
    return true;
  }

  /** Gives one token back: that frame does not count. */
  giveBack(): void {
    this.#tokens = Math.min(this.#limits.burst, this.#tokens + 1);
  }
}

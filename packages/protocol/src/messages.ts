// The control messages (docs/protocol.md): their types, builders and parsers. The data frames (state, critical,
// cosmetic) are typed here for the code that reads them; the shard builds them from raw bytes.
import { limits } from './limits.ts';
import type { ChannelListProblem } from './names.ts';
import { parseChannels } from './names.ts';

/** How sure the router is of the class that it measured. */
export type Confidence = 'high' | 'medium' | 'low';

/**
 * The router's answer: where to open the stream. `rttMs` and `kbps` are missing where nothing was measured; `hint` is
 * there where the measurement may be used again: a client may add it (`&hint=…`) when it comes back to the router.
 */
export interface RedirectMessage {
  readonly type: 'redirect';
  readonly url: string;
  readonly pool: string;
  readonly rttMs?: number;
  readonly kbps?: number;
  readonly confidence: Confidence;
  readonly hint?: string;
}

export interface WelcomeMessage {
  readonly type: 'welcome';
  readonly session: string;
  readonly pool: string;
  readonly shard: string;
  readonly tickMs: number;
  readonly channels: readonly string[];
  /** Whether the position was accepted: no snapshot follows, but what changed since. */
  readonly resumed: boolean;
}

export interface StateMessage {
  readonly type: 'state';
  readonly channel: string;
  readonly snapshot?: true;
  readonly more?: true;
  readonly set: Readonly<Record<string, unknown>>;
  readonly del?: readonly string[];
}

export interface CriticalMessage {
  readonly type: 'critical';
  readonly channel: string;
  readonly id: number;
  readonly data: unknown;
}

export interface CosmeticMessage {
  readonly type: 'cosmetic';
  readonly channel: string;
  readonly data: readonly unknown[];
}

export interface GapMessage {
  readonly type: 'gap';
  readonly channel: string;
  readonly lane: 'critical';
  readonly after: number;
  /** Another epoch: ids begin anew, those remembered no longer count. */
  readonly reset?: true;
}

export interface PositionMessage {
  readonly type: 'position';
  readonly pos: string;
}

/** Why a shard asks a client to move. */
export type MoveReason = 'drain' | 'rebalance' | 'tooSlow' | 'promote';

export interface MoveMessage {
  readonly type: 'move';
  readonly url: string;
  readonly withinMs: number;
  readonly reason: MoveReason;
}

/** Codes of `error` messages: answers to something that the client asked for; the connection goes on. */
export const ERROR_CODES = ['CHANNEL_FORBIDDEN', 'CHANNEL_LIMIT', 'CHANNEL_INVALID'] as const;
export type ErrorCode = (typeof ERROR_CODES)[number];

export interface ErrorMessage {
  readonly type: 'error';
  readonly code: ErrorCode;
  readonly channel?: string;
}

/** Everything that a router or a shard says. */
export type ServerMessage =
  | RedirectMessage
  | WelcomeMessage
  | StateMessage
  | CriticalMessage
  | CosmeticMessage
  | GapMessage
  | PositionMessage
  | MoveMessage
  | ErrorMessage;

/** The messages that are built as values, not from a publisher's raw bytes. */
export type ControlMessage = Exclude<ServerMessage, StateMessage | CriticalMessage | CosmeticMessage>;

/** The text of a control message. */
export function controlText(message: ControlMessage): string {
  return JSON.stringify(message);
}

/** Everything that a client may say. */
export interface ClientMessage {
  readonly type: 'subscribe' | 'unsubscribe';
  readonly channels: readonly string[];
}

/** Why a client's message was refused. `channels` problems are answered by `error`, the rest by a close. */
export type ClientMessageProblem = 'tooLarge' | 'notJson' | 'schema' | ChannelListProblem;

/** Parses what a client sent: `{"type":"subscribe"|"unsubscribe","channels":[…]}` and nothing else. */
export function parseClientMessage(
  text: string,
): { readonly message: ClientMessage } | { readonly problem: ClientMessageProblem } {
  if (text.length > limits.clientMessageBytes) return { problem: 'tooLarge' };
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { problem: 'notJson' };
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return { problem: 'schema' };
  const known = new Map<string, unknown>(Object.entries(value));
  const type = known.get('type');
  const names = known.get('channels');
  if (type !== 'subscribe' && type !== 'unsubscribe') return { problem: 'schema' };
  if (known.size !== 2 || !Array.isArray(names) || !names.every((name) => typeof name === 'string')) {
    return { problem: 'schema' };
  }
  const parsed = parseChannels(names);
  return 'problem' in parsed ? parsed : { message: { type, channels: parsed.channels } };
}

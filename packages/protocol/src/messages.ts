// The control messages of docs/protocol.md, section 3: their types, builders and parsers. The data frames (state,
// critical, cosmetic) have types here for their readers; the shard's encode stage builds them from raw bytes.
import { limits } from './limits.ts';
import type { ChannelListProblem } from './names.ts';
import { parseChannels } from './names.ts';

/** How certain the router is of the class that it measured. */
export type Confidence = 'high' | 'medium' | 'low';

/**
 * The router's answer: where to open the stream. `rttMs` and `kbps` are missing if nothing was measured. `hint` is
 * present if the measurement may be used again: a client may add it (`&hint=…`) when it returns to the router.
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
  /** The shard sends a text message at least this often; missing from shards of earlier releases. */
  readonly beatMs?: number;
  /** A client may ask for so many of the newest critical messages of a channel. */
  readonly lastMax?: number;
  /** The user's token expires then, and the connection ends; missing where there is no token. */
  readonly expiresInMs?: number;
  readonly channels: readonly string[];
  /** Whether the position was accepted: instead of a snapshot, the changes since then follow. */
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
  /** Another epoch: ids start again, and remembered ids no longer count. */
  readonly reset?: true;
}

export interface PositionMessage {
  readonly type: 'position';
  readonly pos: string;
  /** In the answer to a subscription: its channels begin now, and nothing of them that came before belongs to it. */
  readonly channels?: readonly string[];
}

/** Says only that the path is alive; sent if there is no other message. */
export interface BeatMessage {
  readonly type: 'beat';
}

/** Why a shard asks a client to move. */
export type MoveReason = 'drain' | 'rebalance' | 'tooSlow' | 'promote';

export interface MoveMessage {
  readonly type: 'move';
  readonly url: string;
  readonly withinMs: number;
  readonly reason: MoveReason;
}

/** Codes of `error` messages: answers to a request of the client; the connection continues. */
export const ERROR_CODES = ['CHANNEL_FORBIDDEN', 'CHANNEL_LIMIT', 'CHANNEL_INVALID'] as const;
export type ErrorCode = (typeof ERROR_CODES)[number];

export interface ErrorMessage {
  readonly type: 'error';
  readonly code: ErrorCode;
  readonly channel?: string;
}

/** All messages of a router or a shard. */
export type ServerMessage =
  | RedirectMessage
  | WelcomeMessage
  | StateMessage
  | CriticalMessage
  | CosmeticMessage
  | GapMessage
  | PositionMessage
  | BeatMessage
  | MoveMessage
  | ErrorMessage;

/** The messages that are built from values, not from a publisher's raw bytes. */
export type ControlMessage = Exclude<ServerMessage, StateMessage | CriticalMessage | CosmeticMessage>;

/** The text of a control message. */
export function controlText(message: ControlMessage): string {
  return JSON.stringify(message);
}

/** All messages of a client. */
export interface ClientMessage {
  readonly type: 'subscribe' | 'unsubscribe';
  readonly channels: readonly string[];
  /** Of a subscription: begin with so many of the newest critical messages of each channel. */
  readonly last?: number;
}

/** Why a client's message was refused. The answer to `channels` problems is `error`, to all others a close. */
export type ClientMessageProblem = 'tooLarge' | 'notJson' | 'schema' | ChannelListProblem;

/**
 * Parses a client's message: `{"type":"subscribe"|"unsubscribe","channels":[…]}`, with `last` in a subscription, and
 * nothing else.
 */
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
  const last = type === 'subscribe' ? known.get('last') : undefined;
  const size = last === undefined ? 2 : 3;
  if (known.size !== size || !Array.isArray(names) || !names.every((name) => typeof name === 'string')) {
    return { problem: 'schema' };
  }
  if (last !== undefined && !isCount(last)) return { problem: 'schema' };
  const parsed = parseChannels(names);
  if ('problem' in parsed) return parsed;
  const { channels } = parsed;
  return { message: last === undefined ? { type, channels } : { type, channels, last } };
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value > 0;
}

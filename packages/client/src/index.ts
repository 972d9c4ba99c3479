// Node's entry: the platform's WebSocket where there is one (Node 22), else the package `ws` where it is installed.
import { Client } from './client.ts';
import { WeirError } from './errors.ts';
import type { SocketClass } from './platform.ts';
import { commonPlatform } from './platform.ts';
import type { Channels, ChannelTypes, ConnectOptions, Weir } from './public.ts';

export { WeirError } from './errors.ts';
export type {
  Channel,
  ChannelEvent,
  ChannelEvents,
  Channels,
  ChannelTypes,
  CloseEvent,
  ConnectOptions,
  CosmeticEvent,
  CriticalEvent,
  GapEvent,
  Info,
  MoveEvent,
  OpenEvent,
  ReconnectOptions,
  ResumeStorage,
  RetryEvent,
  StateEvent,
  Status,
  Token,
  Unsubscribe,
  Weir,
  WeirErrorCode,
  WeirErrorLike,
  WeirEvents,
} from './public.ts';

/**
 * Connects to a cluster by its router's URL, and stays connected until `close()`. `C` has the types of what each
 * channel carries: `connect<{ odds: { state: Odds; critical: Goal } }>(…)`. Throws a TypeError for a mistake in
 * `options`, BAD_URL, CHANNEL_INVALID or CHANNEL_LIMIT.
 */
export function connect<C extends Channels<C> = Record<string, ChannelTypes>>(
  options: ConnectOptions,
): Weir<C> {
  // The application's types are its word: what arrives is JSON of its own publishers.
  return new Client(options, { ...commonPlatform(), webSocket, turn: setImmediate }) as Weir as Weir<C>;
}

async function webSocket(): Promise<SocketClass> {
  // Both types are wider than what is used of them.
  if (typeof globalThis.WebSocket === 'function') return globalThis.WebSocket as unknown as SocketClass;
  try {
    return (await import('ws')).WebSocket as unknown as SocketClass;
  } catch (cause) {
    throw new WeirError(
      'NO_WEBSOCKET',
      'this Node has no WebSocket: use Node 22 or later, or `npm install ws`, or give connect() a `WebSocket` class',
      { cause },
    );
  }
}

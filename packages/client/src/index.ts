// Node's entry: the platform's WebSocket where there is one (Node 22), else the package `ws` where it is installed.
import { Client } from './client.ts';
import { WeirError } from './errors.ts';
import type { SocketClass } from './platform.ts';
import { commonPlatform } from './platform.ts';
import type { ConnectOptions, Weir } from './public.ts';

export type { WeirErrorCode } from './errors.ts';
export { WeirError } from './errors.ts';
export type {
  Channel,
  ChannelEvent,
  ChannelEvents,
  CloseEvent,
  ConnectOptions,
  CosmeticEvent,
  CriticalEvent,
  GapEvent,
  Info,
  MoveEvent,
  OpenEvent,
  ReconnectOptions,
  RetryEvent,
  StateEvent,
  Status,
  Token,
  Unsubscribe,
  Weir,
  WeirErrorLike,
  WeirEvents,
} from './public.ts';

/** Connects to a cluster by its router's URL, and stays connected until `close()`. */
export function connect(options: ConnectOptions): Weir {
  return new Client(options, { ...commonPlatform(), webSocket, turn: setImmediate });
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

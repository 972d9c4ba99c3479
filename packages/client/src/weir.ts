// The browser's entry, bundled to weir.js: the platform's WebSocket and nothing else.
import { Client } from './client.ts';
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
  return new Client(options, { ...commonPlatform(), webSocket, turn }) as Weir as Weir<C>;
}

function webSocket(): SocketClass {
  // The DOM's type is wider than what is used of it.
  return globalThis.WebSocket as unknown as SocketClass;
}

let port: MessagePort | undefined;
const turns: (() => void)[] = [];

/** A message to ourselves queues behind those that have arrived, and is not throttled as timers are. */
function turn(run: () => void): void {
  // React Native has none; its timers are not throttled.
  if (typeof MessageChannel !== 'function') {
    setTimeout(run, 0);
    return;
  }
  if (port === undefined) {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => turns.shift()?.();
    port = port2;
  }
  turns.push(run);
  port.postMessage(0);
}

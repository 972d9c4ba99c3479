// The browser's entry, bundled to weir.js: the platform's WebSocket and nothing else.
import { Client } from './client.ts';
import type { SocketClass } from './platform.ts';
import { commonPlatform } from './platform.ts';
import type { ConnectOptions, Weir } from './public.ts';

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
  return new Client(options, { ...commonPlatform(), webSocket, turn });
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

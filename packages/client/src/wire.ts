// One WebSocket: text in and out, one end. After `close()` nothing of it is heard any more.
import type { ServerMessage } from '@weir/protocol';
import type { Target } from './address.ts';
import type { Platform, Socket, SocketClass } from './platform.ts';

/** A peer that does not answer a Close within this is left. */
const CLOSE_WAIT_MS = 2_000;
/** A class that reports an error and no close after it (Node 22's own does so) has ended all the same. */
const ERROR_WAIT_MS = 1_000;
/** What every class reports for a connection that ended without a Close. */
const ABNORMAL = 1006;

export class Wire {
  onMessage: (message: ServerMessage) => void = () => {};
  onClose: (code: number, reason: string) => void = () => {};
  /** When something arrived last, pings too where the class shows them; by the wall clock. */
  heardMs: number;
  seesPings = false;
  readonly #platform: Platform;
  readonly #socket: Socket;
  #problem = '';
  #errorTimer: unknown;

  /** Throws what the class throws: a bad URL, or one that the page's security forbids. */
  constructor(platform: Platform, WebSocketClass: SocketClass, target: Target) {
    this.#platform = platform;
    const socket = new WebSocketClass(target.url, target.protocols);
    this.heardMs = platform.wallMs();
    this.#socket = socket;
    socket.onmessage = ({ data }) => {
      this.heardMs = platform.wallMs();
      const message = parse(data);
      if (message !== undefined) this.onMessage(message);
    };
    socket.onerror = ({ message }) => {
      this.#problem ||= message ?? '';
      this.#errorTimer ??= platform.setTimeout(
        () => this.#ended(ABNORMAL, this.#problem || 'an error'),
        ERROR_WAIT_MS,
      );
    };
    socket.onclose = ({ code, reason }) => this.#ended(code, reason);
    socket.on?.('ping', () => {
      this.heardMs = platform.wallMs();
      this.seesPings = true;
    });
  }

  #ended(code: number, reason: string): void {
    this.#platform.clearTimeout(this.#errorTimer);
    const { onClose } = this;
    this.onMessage = () => {};
    this.onClose = () => {};
    onClose(code || ABNORMAL, String(reason || this.#problem));
  }

  send(message: unknown): void {
    this.#socket.send(JSON.stringify(message));
  }

  close(code = 1000): void {
    const socket = this.#socket;
    const terminate = (): void => socket.terminate?.();
    const timer = this.#platform.setTimeout(terminate, CLOSE_WAIT_MS);
    this.onMessage = () => {};
    this.onClose = () => this.#platform.clearTimeout(timer);
    this.#platform.clearTimeout(this.#errorTimer);
    socket.close(code);
  }
}

/** A message with a type; nothing for what a later version may say and this one cannot read. */
function parse(data: unknown): ServerMessage | undefined {
  if (typeof data !== 'string') return undefined;
  try {
    // The parse edge: the peer is the router or a shard, whose frames are typed by the protocol.
    const message: ServerMessage | null = JSON.parse(data);
    if (message?.type) return message;
  } catch {
    // Not JSON: as unreadable as an unknown type.
  }
  return undefined;
}

// The WebSocket of an SDK client: passes every frame that counts for the SDK to an oracle, and can stall and break.
import type { Data } from 'ws';
import { WebSocket } from 'ws';
import { NeverBack } from '../../harness/never-back.ts';

/** All connections of one client; the one with the latest welcome counts. */
export class Tap {
  readonly neverBack: NeverBack;
  readonly WebSocket: new (
    url: string,
    protocols?: string[],
  ) => WebSocket;
  /** Whether the shards may differ now: then the oracle starts anew at each welcome. */
  readonly #mayDiffer: () => boolean;
  #current: TappedSocket | undefined;

  constructor(name: string, mayDiffer: () => boolean) {
    this.neverBack = new NeverBack(name);
    this.#mayDiffer = mayDiffer;
    const frame = (socket: TappedSocket, message: Readonly<Record<string, unknown>>): void =>
      this.#frame(socket, message);
    this.WebSocket = class extends TappedSocket {
      constructor(url: string, protocols: string[] = []) {
        super(url, protocols, frame);
      }
    };
  }

  /** The connection that counts, while it is open. */
  get socket(): WebSocket | undefined {
    return this.#current?.readyState === WebSocket.OPEN ? this.#current : undefined;
  }

  #frame(socket: TappedSocket, message: Readonly<Record<string, unknown>>): void {
    if (socket.left) return;
    if (message['type'] === 'welcome') {
      this.#current = socket;
      const isResumed = socket.url.includes('&resume=') && !this.#mayDiffer();
      this.neverBack.begin(isResumed ? 'resumed' : 'anew');
    }
    if (socket === this.#current) this.neverBack.take(message);
  }
}

type Frame = (socket: TappedSocket, message: Readonly<Record<string, unknown>>) => void;

class TappedSocket extends WebSocket {
  /** The client has closed this socket: its frames no longer count. */
  left = false;

  constructor(url: string, protocols: string[], frame: Frame) {
    super(url, protocols);
    this.on('message', (data: Data) => frame(this, JSON.parse(String(data))));
    // The SDK handles errors by `onerror`; this handler is for errors after the SDK has left the socket.
    this.on('error', () => undefined);
  }

  override close(code?: number, reason?: string): void {
    this.left = true;
    super.close(code, reason);
  }
}

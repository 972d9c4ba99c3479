// The WebSocket of an SDK client: passes every frame that counts for the SDK to an oracle, and can stall and break.
import type { Data } from 'ws';
import { WebSocket } from 'ws';
import { NeverBack, versionOf } from '../../harness/never-back.ts';

const TRACED = 60;

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
  /** The last frames, in short, for a report. */
  readonly #trace: string[] = [];
  #faults = 0;

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
    this.#note(socket, message);
    if (socket.left) return;
    if (message['type'] === 'welcome') {
      this.#current = socket;
      const isResumed = socket.url.includes('&resume=') && !this.#mayDiffer();
      this.neverBack.begin(isResumed ? 'resumed' : 'anew');
    }
    if (socket === this.#current) this.neverBack.take(message);
    const { faults } = this.neverBack;
    if (faults.length > this.#faults) faults.push(`what led to it:\n    ${this.#trace.join('\n    ')}`);
    this.#faults = faults.length;
  }

  #note(socket: TappedSocket, message: Readonly<Record<string, unknown>>): void {
    const { type, channel, set, del, snapshot, more, pos, resumed, shard } = message;
    const versions = Object.entries(set ?? {}).map(([key, value]) => `${key}=${versionOf(value)}`);
    const what = { snapshot, more, pos, resumed, shard, ...(del === undefined ? {} : { del }) };
    const time = new Date().toISOString().slice(14, 23);
    const differ = this.#mayDiffer() ? ' (shards may differ)' : '';
    const left = socket.left ? ' (left)' : '';
    this.#trace.push(
      `${time} ${new URL(socket.url).port}${left}${differ} ${type} ${channel ?? ''} ${versions.join(' ')} ${JSON.stringify(what)}`,
    );
    if (this.#trace.length > TRACED) this.#trace.shift();
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

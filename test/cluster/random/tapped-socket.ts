// The WebSocket of an SDK client: passes every frame that counts for the SDK to an oracle, and can stall and break.
import type { ClientMessage } from '@weir/protocol';
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
    const said = (socket: TappedSocket, message: ClientMessage): void => {
      this.remark(`${new URL(socket.url).port} says ${JSON.stringify(message)}`);
      if (message.type === 'unsubscribe') this.neverBack.left(message.channels);
    };
    this.WebSocket = class extends TappedSocket {
      constructor(url: string, protocols: string[] = []) {
        super(url, protocols, { frame, said });
      }
    };
  }

  /** The connection that counts, while it is open. */
  get socket(): WebSocket | undefined {
    return this.#current?.readyState === WebSocket.OPEN ? this.#current : undefined;
  }

  /** The last frames, the oldest first, and what the client said between them. */
  get trace(): string {
    return `what led to it:\n    ${this.#trace.join('\n    ')}`;
  }

  /** Adds a line to the trace. */
  remark(what: string): void {
    this.#trace.push(`${new Date().toISOString().slice(14, 23)} ${what}`);
    if (this.#trace.length > TRACED) this.#trace.shift();
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
    if (faults.length > this.#faults) faults.push(this.trace);
    this.#faults = faults.length;
  }

  #note(socket: TappedSocket, message: Readonly<Record<string, unknown>>): void {
    const { type, channel, id, reset, set, del, snapshot, more, pos, resumed, shard } = message;
    const versions = Object.entries(set ?? {}).map(([key, value]) => `${key}=${versionOf(value)}`);
    const what = { snapshot, more, pos, resumed, shard, ...(del === undefined ? {} : { del }) };
    const differ = this.#mayDiffer() ? ' (shards may differ)' : '';
    const left = socket.left ? ' (left)' : '';
    this.remark(
      `${new URL(socket.url).port}${left}${differ} ${type} ${channel ?? ''} ${id ?? ''} ${reset ?? ''} ${versions.join(' ')} ${JSON.stringify(what)}`,
    );
  }
}

interface Ears {
  readonly frame: (socket: TappedSocket, message: Readonly<Record<string, unknown>>) => void;
  readonly said: (socket: TappedSocket, message: ClientMessage) => void;
}

class TappedSocket extends WebSocket {
  /** The client has closed this socket: its frames no longer count. */
  left = false;

  readonly #said: Ears['said'];
  #last = '';

  constructor(url: string, protocols: string[], { frame, said }: Ears) {
    super(url, protocols);
    this.#said = said;
    this.on('message', (data: Data) => frame(this, JSON.parse(String(data))));
    // The SDK handles errors by `onerror`; this handler is for errors after the SDK has left the socket.
    this.on('error', () => undefined);
  }

  /** The SDK sends nothing but its subscriptions, as text. */
  override send(text: string): void {
    // A flood says the same again and again.
    if (text !== this.#last) this.#said(this, JSON.parse(text));
    this.#last = text;
    super.send(text);
  }

  override close(code?: number, reason?: string): void {
    this.left = true;
    super.close(code, reason);
  }
}

// One upgraded client while it is being measured: what may be written to it, and when it is gone.
// It has nothing to say to the router: what it sends is counted before it is parsed, and thrown away.
import type { Duplex } from 'node:stream';
import { subprotocol } from '@weir/protocol';
import { CLOSE_OPCODE, FrameGate, libraryFaultOf } from '@weir/runtime';
import type { WebSocket } from 'ws';
import { WebSocketServer } from 'ws';

/** Why a client is no longer there. */
export type Gone = 'left' | 'protocolError' | 'tooManyMessages' | 'stopped';

/** The network may cut frames into so many pieces each; one byte a piece costs as much as a frame. */
const PIECES_A_FRAME = 4;

/** What a client may send. */
export interface ClientLimits {
  readonly maxClientBytes: number;
  readonly maxClientFrames: number;
  readonly closingBytes: number;
}

/** Makes upgrades; it does not listen. */
export function createUpgrades(maxPayload: number): WebSocketServer {
  // The types do not know all of these options.
  const options = {
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload,
    // Pings are counted before they get there.
    maxPendingAutoPongs: 0,
    handleProtocols: (offered: ReadonlySet<string>) =>
      offered.has(subprotocol.version) && subprotocol.version,
  };
  return new WebSocketServer(options);
}

/** An upgraded client; fits the probe. */
export class Client {
  readonly ws: WebSocket;
  readonly duplex: Duplex;
  readonly gate: FrameGate;
  readonly #listeners = new Set<() => void>();
  #gone: Gone | undefined;
  #bytes = 0;
  #frames = 0;
  #pieces = 0;

  /** In the turn of the upgrade, so that no byte is missed. */
  constructor(ws: WebSocket, duplex: Duplex, limits: ClientLimits) {
    this.ws = ws;
    this.duplex = duplex;
    this.gate = new FrameGate(duplex, limits.closingBytes);
    // Before the gate: what is too much is not parsed.
    duplex.prependListener('data', (chunk: Buffer) => {
      this.#bytes += chunk.length;
      this.#pieces++;
      const tooMany = this.#pieces > limits.maxClientFrames * PIECES_A_FRAME;
      if (tooMany || this.#bytes > limits.maxClientBytes) this.#leave('tooManyMessages');
    });
    this.gate.open((opcode) => {
      if (opcode === CLOSE_OPCODE) return true;
      const within = ++this.#frames <= limits.maxClientFrames;
      if (!within) this.#leave('tooManyMessages');
      return within;
    });
    ws.on('error', (error) => {
      const fault = libraryFaultOf(error);
      if (fault !== undefined) this.#leave(fault === 'tooManyMessages' ? fault : 'protocolError');
    });
    ws.on('close', () => this.#leave('left'));
  }

  /** Why it is gone, where it is; a client that has said Close is leaving. */
  get gone(): Gone | undefined {
    return this.#gone ?? (this.ws.readyState === this.ws.OPEN ? undefined : 'left');
  }

  write(bytes: Uint8Array): boolean {
    return this.gone === undefined && this.duplex.writable && this.duplex.write(bytes);
  }

  /** Cuts it, since the router stops. */
  stop(): void {
    this.#leave('stopped');
    this.duplex.destroy();
  }

  onPong(listener: (payload: Uint8Array) => void): () => void {
    this.ws.on('pong', listener);
    return () => {
      this.ws.off('pong', listener);
    };
  }

  onClose(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  #leave(why: Gone): void {
    this.gate.shut();
    if (this.#gone !== undefined) return;
    this.#gone = why;
    for (const listener of this.#listeners) listener();
    this.#listeners.clear();
  }
}

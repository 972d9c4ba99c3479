// The handwritten WebSocket client with the quirks that the router's tests need: deaf, rude, slow. For tests only.
import { randomBytes } from 'node:crypto';
import { RawClient as Client, opcodes, type RawClientOptions } from '@weir/protocol/fakes';

export { clientFrame, opcodes } from '@weir/protocol/fakes';

/** Misbehaviour; none by default. */
export interface Quirks extends Pick<RawClientOptions, 'early' | 'delayMs'> {
  /** Never answers a ping. */
  readonly deaf?: boolean;
  /** Loses this many of the first pings. */
  readonly losePings?: number;
  /** Destroys its socket at an unsolicited pong. */
  readonly closeOnPong?: boolean;
  /** Neither answers a Close nor ends. */
  readonly ignoreClose?: boolean;
  /** Called for each frame. */
  readonly onFrame?: (client: RawClient, opcode: number) => void;
}

/** The address and headers of the request. */
export interface RawOptions extends Quirks {
  readonly port: number;
  readonly host?: string;
  readonly path?: string;
  readonly method?: string;
  /** Header lines beside those of an upgrade. */
  readonly headers?: readonly string[];
}

export class RawClient extends Client {
  constructor(options: RawOptions) {
    const { port, host = '127.0.0.1', path = '/v1/connect?channels=lobby', headers = [] } = options;
    const { deaf = false, losePings = 0, closeOnPong, ignoreClose = false, onFrame, ...others } = options;
    super(`ws://${host.includes(':') ? `[${host}]` : host}:${port}${path}`, {
      ...others,
      headers: [
        'Connection: Upgrade',
        'Upgrade: websocket',
        'Sec-WebSocket-Version: 13',
        `Sec-WebSocket-Key: ${randomBytes(16).toString('base64')}`,
        ...headers,
      ],
      allowHalfOpen: ignoreClose,
      answersClose: !ignoreClose,
      answers: (ping) => !deaf && ping >= losePings,
      onFrame: (_, { opcode }) => {
        if (opcode === opcodes.pong && closeOnPong === true) this.socket.destroy();
        onFrame?.(this, opcode);
      },
    });
  }

  get opcodesSeen(): readonly number[] {
    return this.frames.map(({ opcode }) => opcode);
  }

  /** The router's only message. */
  get redirect(): Readonly<Record<string, unknown>> {
    return JSON.parse(this.texts[0] ?? '{}');
  }
}

// The WebSocket client on a raw socket, for tests of clusters: it also checks that its view never goes back.
import type { RawClientOptions, RawFrame } from '@weir/protocol/fakes';
import { RawClient as Client, opcodes } from '@weir/protocol/fakes';
import { NeverBack } from './never-back.ts';

export type { RawFrame } from '@weir/protocol/fakes';
export { clientFrame, opcodes, usualHeaders } from '@weir/protocol/fakes';

export interface RawOptions extends Pick<RawClientOptions, 'headers' | 'early' | 'answers'> {
  /** Closes with 1002 at the first Pong and answers nothing after that. */
  readonly closesOnPong?: boolean;
}

/** FIN and the opcode of text: a whole, uncompressed message. */
const WHOLE_TEXT = 0x81;
const PROTOCOL_ERROR = Buffer.from([0x03, 0xea]);

export class RawClient extends Client {
  constructor(url: string, { closesOnPong = false, ...options }: RawOptions = {}) {
    const neverBack = new NeverBack('a raw client');
    const onFrame = (client: Client, { opcode, firstByte, payload }: RawFrame): void => {
      // A frame with another first byte is a fragment, or compressed.
      if (firstByte === WHOLE_TEXT) neverBack.take(JSON.parse(payload.toString()));
      if (opcode !== opcodes.pong || !closesOnPong) return;
      client.send(opcodes.close, PROTOCOL_ERROR);
      client.mute();
    };
    super(url, { ...options, onFrame });
  }
}

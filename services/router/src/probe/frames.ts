// The two kinds of frame that the probe writes: pings with a nonce, and pads made of unsolicited pongs, which
// RFC 6455 5.5.3 lets a client ignore. Must never mask (server frames are unmasked) or send a frame that applications
// see.

import { PAD_FRAME_BYTES, padding } from '@weir/protocol';
import type { TrainName } from './constants.ts';
import * as K from './constants.ts';

const FIN_PING = 0x89;

export type Pads = Readonly<Record<TrainName, Uint8Array>>;

/** All pads are the beginning of one buffer. */
export function createPads(random: (bytes: number) => Uint8Array): Pads {
  const all = padding(Math.max(...Object.values(K.TRAIN_FRAMES)), random);
  const pad = (name: TrainName): Uint8Array => all.subarray(0, K.TRAIN_FRAMES[name] * PAD_FRAME_BYTES);
  return { A: pad('A'), R: pad('R'), Z: pad('Z'), E: pad('E'), s: pad('s') };
}

/** The pad, if any, and the ping behind it in one buffer, for one write. */
export function stepBytes(pad: Uint8Array | undefined, nonce: Uint8Array): Uint8Array {
  const padBytes = pad?.length ?? 0;
  const bytes = new Uint8Array(padBytes + 2 + nonce.length);
  if (pad !== undefined) bytes.set(pad);
  bytes[padBytes] = FIN_PING;
  bytes[padBytes + 1] = nonce.length;
  bytes.set(nonce, padBytes + 2);
  return bytes;
}

export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

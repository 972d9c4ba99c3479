// Server frames of RFC 6455: unmasked, whole, built once and shared by every connection. Pure bytes, no sockets.

const TEXT = 0x81;
const PING = 0x89;
const PONG = 0x8a;

/** The largest control frame: 2 bytes of header and 125 of payload. */
export const PAD_FRAME_BYTES = 127;

/** One unmasked text frame (FIN = 1) from a latin1 string whose characters are the UTF-8 bytes to send. */
export function textFrame(latin1: string): Buffer {
  const frame = frameFor(TEXT, latin1.length);
  frame.write(latin1, frame.length - latin1.length, 'latin1');
  return frame;
}

/** A text frame of an ordinary string. */
export function utf8Frame(text: string): Buffer {
  return textFrame(Buffer.from(text).toString('latin1'));
}

/** A ping with a payload of at most 125 bytes. */
export function pingFrame(payload: Uint8Array): Buffer {
  if (payload.length > 125) throw new RangeError('the payload of a control frame has at most 125 bytes');
  const frame = frameFor(PING, payload.length);
  frame.set(payload, 2);
  return frame;
}

/**
 * Padding to measure with: unsolicited pongs, which a client ignores (RFC 6455, 5.5.3). Its bytes are random, so no hop
 * can compress them.
 */
export function padding(frames: number, random: (bytes: number) => Uint8Array): Buffer {
  const bytes = PAD_FRAME_BYTES - 2;
  const noise = random(frames * bytes);
  const all = Buffer.allocUnsafeSlow(frames * PAD_FRAME_BYTES);
  for (let i = 0; i < frames; i++) {
    const at = i * PAD_FRAME_BYTES;
    all[at] = PONG;
    all[at + 1] = bytes;
    all.set(noise.subarray(i * bytes, (i + 1) * bytes), at + 2);
  }
  return all;
}

function frameFor(firstByte: number, length: number): Buffer {
  const headerBytes = length < 126 ? 2 : length < 65_536 ? 4 : 10;
  // Not from the shared slab: these buffers go to the kernel and live as long as the slowest socket.
  const frame = Buffer.allocUnsafeSlow(headerBytes + length);
  frame[0] = firstByte;
  if (headerBytes === 2) frame[1] = length;
  else if (headerBytes === 4) {
    frame[1] = 126;
    frame.writeUInt16BE(length, 2);
  } else {
    frame[1] = 127;
    frame.writeBigUInt64BE(BigInt(length), 2);
  }
  return frame;
}

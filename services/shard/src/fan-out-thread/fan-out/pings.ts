// The pings of the delivery clock: a rising counter with a random nonce, shared by all connections that are pinged
// in the same write. A pong counts only if its nonce is right, so that no client can acknowledge ahead.
import { randomFillSync } from 'node:crypto';
import { pingFrame } from '@weir/protocol';

/** Counters whose nonces are remembered, 256 KB: at a hundred a second, which all connections share, five minutes. */
const REMEMBERED = 32_768;
const PAYLOAD_BYTES = 12;

export class Pings {
  readonly #nonces: Buffer = Buffer.alloc(REMEMBERED * 8);
  readonly #random: (target: Buffer) => void;
  #counter = 0;

  constructor(random: (target: Buffer) => void = randomFillSync) {
    this.#random = random;
  }

  /** Counter of the last ping that was made; 0 before the first. */
  get counter(): number {
    return this.#counter;
  }

  /** A new ping. */
  next(): Buffer {
    this.#counter++;
    const at = (this.#counter % REMEMBERED) * 8;
    this.#random(this.#nonces.subarray(at, at + 8));
    const payload = Buffer.allocUnsafe(PAYLOAD_BYTES);
    payload.writeUInt32BE(this.#counter >>> 0, 0);
    this.#nonces.copy(payload, 4, at, at + 8);
    return pingFrame(payload);
  }

  /** The counter in a pong's payload; 0 if this thread did not send that ping. */
  counterOf(payload: Buffer): number {
    if (payload.length !== PAYLOAD_BYTES) return 0;
    const counter = payload.readUInt32BE(0);
    if (counter > this.#counter || counter <= this.#counter - REMEMBERED || counter === 0) return 0;
    const at = (counter % REMEMBERED) * 8;
    return this.#nonces.compare(payload, 4, 12, at, at + 8) === 0 ? counter : 0;
  }
}

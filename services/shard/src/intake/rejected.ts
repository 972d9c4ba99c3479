// Copies messages that cannot be broadcast to `weir.rejected`, with the reason in a header. Bounded: a flood of bad
// messages costs a counter, not a second flood. Nobody of ours reads the subject.
import { headers } from '@nats-io/transport-node';
import type { NatsLink } from '@weir/runtime';
import type { RejectReason } from './accept.ts';

const COPIES_PER_SECOND = 20;
const COPIED_BYTES = 16_384;

export class Rejected {
  readonly #link: NatsLink;
  readonly #subject: string;
  readonly #nowMs: () => number;
  #windowMs = 0;
  #copies = 0;

  constructor(link: NatsLink, subject: string, nowMs: () => number) {
    this.#link = link;
    this.#subject = subject;
    this.#nowMs = nowMs;
  }

  /** Copies a message, unless this second's copies are used up. Returns whether it did. */
  copy(message: { readonly subject: string; readonly data: Uint8Array }, reason: RejectReason): boolean {
    const nowMs = this.#nowMs();
    if (nowMs - this.#windowMs >= 1000) {
      this.#windowMs = nowMs;
      this.#copies = 0;
    }
    if (this.#copies >= COPIES_PER_SECOND) return false;
    this.#copies++;
    const about = headers();
    about.set('Weir-Reason', reason);
    about.set('Weir-Subject', message.subject);
    return (
      this.#link.publish(this.#subject, message.data.subarray(0, COPIED_BYTES), { headers: about }) === 'sent'
    );
  }
}

// Reports messages that cannot be broadcast: a copy on `weir.rejected` with the reason in a header, and a log line.
// Bounded for each reason: a flood of bad messages costs a counter, not a second flood, and does not hide another reason.
// No service of Weir reads the subject.
import { headers } from '@nats-io/transport-node';
import type { Lane } from '@weir/protocol';
import type { Logger, NatsLink } from '@weir/runtime';
import { logThrottle } from '@weir/runtime';

/** Why a message cannot be broadcast. A closed set: it is a label of a metric and a header of `weir.rejected`. */
export const REJECT_REASONS = [
  'subject',
  'empty',
  'tooLarge',
  'notUtf8',
  'bom',
  'notJson',
  'tooDeep',
  'number',
  'stateFull',
  /** A fault of the shard; the message is left out. */
  'internal',
] as const;
export type RejectReason = (typeof REJECT_REASONS)[number];

const COPIES_PER_SECOND = 20;
const COPIED_BYTES = 16_384;
const LOG_EVERY_MS = 1_000;
/** Enough to recognise a message by; a log is not a place for payloads. */
const LOGGED_BYTES = 80;
/** A subject comes from outside and may be as long as NATS allows. */
const LOGGED_SUBJECT_CHARS = 300;

/** A message as it came by NATS. */
export interface RejectedMessage {
  readonly subject: string;
  readonly data: Uint8Array;
}

interface ReasonBudget {
  readonly log: ReturnType<typeof logThrottle>;
  windowMs: number;
  copies: number;
}

export class Rejected {
  readonly #link: NatsLink;
  readonly #logger: Logger;
  readonly #subject: string;
  readonly #nowMs: () => number;
  readonly #budgets: ReadonlyMap<RejectReason, ReasonBudget>;

  constructor(link: NatsLink, logger: Logger, subject: string, nowMs: () => number) {
    this.#link = link;
    this.#logger = logger;
    this.#subject = subject;
    this.#nowMs = nowMs;
    const clock = { wallMs: nowMs, monotonicMs: nowMs };
    this.#budgets = new Map(
      REJECT_REASONS.map((reason) => [
        reason,
        { log: logThrottle(LOG_EVERY_MS, clock), windowMs: 0, copies: 0 },
      ]),
    );
  }

  /** Copies and logs a message, unless this second's copies or lines of its reason are used up. */
  report(message: RejectedMessage, lane: Lane | undefined, reason: RejectReason): void {
    const budget = this.#budgets.get(reason);
    if (budget === undefined) return;
    this.#copy(message, reason, budget);
    budget.log((suppressed) => {
      this.#logger.warn(
        {
          lane,
          reason,
          subject: message.subject.slice(0, LOGGED_SUBJECT_CHARS),
          data: firstBytes(message.data),
          bytes: message.data.length,
          suppressed,
        },
        'message cannot be broadcast',
      );
    });
  }

  #copy(message: RejectedMessage, reason: RejectReason, budget: ReasonBudget): void {
    const nowMs = this.#nowMs();
    if (nowMs - budget.windowMs >= 1000) {
      budget.windowMs = nowMs;
      budget.copies = 0;
    }
    if (budget.copies >= COPIES_PER_SECOND) return;
    budget.copies++;
    const about = headers();
    about.set('Weir-Reason', reason);
    about.set('Weir-Subject', message.subject);
    this.#link.publish(this.#subject, message.data.subarray(0, COPIED_BYTES), { headers: about });
  }
}

/** The beginning of a payload as text; bytes that are not printable ASCII become dots. */
function firstBytes(data: Uint8Array): string {
  const { buffer, byteOffset, byteLength } = data;
  const text = Buffer.from(buffer, byteOffset, Math.min(byteLength, LOGGED_BYTES)).toString('latin1');
  return text.replace(/[^\x20-\x7e]/g, '.');
}

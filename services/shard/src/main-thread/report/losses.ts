// Reports what streams have lost: log lines for a person, counts, and the kept keys as an answer of the admin server. It
// writes nothing back.
import type { AdminAnswer, Logger } from '@weir/runtime';
import type { Loss, LostState } from '../lanes/lost-state.ts';

/** Bytes of an answer that are made at a time: half a millisecond of work, and the most that a stalled reader holds. */
const PIECE_BYTES = 65_536;

export class Losses {
  readonly kept: LostState;
  readonly #logger: Logger;
  #criticalMessages = 0;

  constructor(kept: LostState, logger: Logger) {
    this.kept = kept;
    this.#logger = logger;
  }

  /** Critical messages that the stream lost within their retention window, since the start. */
  get criticalMessages(): number {
    return this.#criticalMessages;
  }

  state(loss: Loss): void {
    this.#logger.error(
      { ...loss },
      'the state stream has lost keys: docs/lost-state.md says how to write them back',
    );
  }

  critical(messages: number): void {
    this.#criticalMessages += messages;
    this.#logger.error(
      { lost: messages },
      'the critical stream has lost messages within their time: clients that lacked them get a gap',
    );
  }

  expire(nowMs: number): void {
    const keys = this.kept.expire(nowMs);
    if (keys > 0) this.#logger.warn({ keys }, 'lost state is kept no longer: WEIR_LOST_STATE_MS is over');
  }

  /** The kept keys as lines of messages, as `weir-publish restore` reads them. */
  answer(): AdminAnswer {
    return { status: 200, contentType: 'application/x-ndjson', body: pieces(this.kept) };
  }

  /** Forgets the kept keys. */
  discard(): AdminAnswer {
    const keys = this.kept.discard();
    if (keys > 0) this.#logger.warn({ keys }, 'lost state was discarded by request');
    return { status: 200, contentType: 'application/json; charset=utf-8', body: `{"discarded":${keys}}\n` };
  }
}

function* pieces(kept: LostState): Generator<Uint8Array> {
  let piece = '';
  for (const { channel, key, value } of kept.entries()) {
    // Channels and keys have no sign that JSON escapes; the value is the publisher's own bytes.
    piece += `{"lane":"state","channel":"${channel}","key":"${key}","data":${value}}\n`;
    if (piece.length < PIECE_BYTES) continue;
    yield Buffer.from(piece, 'latin1');
    piece = '';
  }
  if (piece !== '') yield Buffer.from(piece, 'latin1');
}

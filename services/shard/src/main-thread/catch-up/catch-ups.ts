// Answers the threads' requests for connections that are not live: at once, or, for a client that comes back, as soon as
// this shard has read what the state stream had at the time of the request. It keeps nothing between two requests.
import type { CatchUpAnswer, CatchUpRequest } from '../../port/catch-up.ts';
import type { Form } from '../../port/frames-table.ts';
import type { CatchUpSource } from './catch-up.ts';
import { catchUp } from './catch-up.ts';
import type { ReachOptions } from './reach.ts';
import { Reach } from './reach.ts';

export interface CatchUpsOptions extends ReachOptions {
  readonly source: CatchUpSource;
  readonly deflate: Form;
}

/** The way back to a thread. */
export interface Asker {
  /** The critical messages up to here have been handed to it. */
  readonly criticalSeq: number;
  reply(reply: { readonly kind: 'caughtUp'; readonly id: number; readonly answer: CatchUpAnswer }): void;
  flushReplies(): void;
}

export class CatchUps {
  readonly #o: CatchUpsOptions;
  readonly #reach: Reach;

  constructor(options: CatchUpsOptions) {
    this.#o = options;
    this.#reach = new Reach(options);
  }

  answer(asker: Asker, asked: { readonly id: number; readonly request: CatchUpRequest }): void {
    if (asked.request.waitsFor !== 'stream') return this.#reply(asker, asked);
    this.#reach.when(() => {
      this.#reply(asker, asked);
      asker.flushReplies();
    });
  }

  #reply(asker: Asker, { id, request }: { readonly id: number; readonly request: CatchUpRequest }): void {
    const { source, deflate } = this.#o;
    const answer = catchUp(request, {
      source,
      form: request.compressed ? deflate : (run) => run,
      limits: { criticalSeq: asker.criticalSeq },
    });
    asker.reply({ kind: 'caughtUp', id, answer });
  }
}

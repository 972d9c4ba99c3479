// Handles one request from its head to its answer: a ladder of refusals, cheapest first, then parse, send, answer.
//
//   path -> method -> room -> key -> page -> share -> rate -> type -> body -> rate -> parse -> send
//   404     405       503     401    403     429      429     415     413     429     400      200 / 207 / 4xx / 5xx
import type { IncomingMessage } from 'node:http';
import { isKnownHost, networkOf, parseAddress } from '@weir/runtime';
import type { Message, ProblemCode } from '../parse/message.ts';
import type { Batch, BatchProblem, BodyFormat } from '../parse/parse-batch.ts';
import type { Outcome } from '../send/outcome.ts';
import type { Answer } from './answer.ts';
import { answerBatch, answerOne, answerProblem, answerRefusal, resultOf } from './answer.ts';
import type { Authorise } from './authorise.ts';
import type { RateLimit } from './rate-limit.ts';
import { formatOf, readBody } from './read-body.ts';
import type { Refusal, RefusalCode } from './refusals.ts';

/** The next stages, as functions. */
export interface HandleOptions {
  readonly parse: (body: Buffer, format: BodyFormat) => Batch | { readonly problem: BatchProblem };
  readonly send: (messages: readonly Message[]) => Promise<readonly Outcome[]>;
  readonly authorise: Authorise;
  readonly rateLimit: RateLimit;
  readonly maxBodyBytes: number;
  readonly maxRequests: number;
  /** Maximum of these for one publisher: its slow requests must leave room for other publishers. */
  readonly maxRequestsPerPublisher: number;
  /** Called for every request with the status, and the code if it was refused as a whole. */
  readonly onAnswer: (status: number, refusal?: RefusalCode | BatchProblem['code']) => void;
  /** Called for every message that is refused because of its contents. */
  readonly onInvalid: (code: ProblemCode) => void;
}

/** A request that may send its body. */
interface Admitted {
  readonly who: string;
  readonly format: BodyFormat;
}

/** Answers requests; counts the concurrent ones. */
export class Handler {
  readonly #options: HandleOptions;
  #underWay = 0;
  /** Concurrent requests of each publisher that has any; at most `maxRequests` entries. */
  readonly #places: Map<string, number> = new Map();
  #stopping = false;

  constructor(options: HandleOptions) {
    this.#options = options;
  }

  get underWay(): number {
    return this.#underWay;
  }

  /** From now on refuses every new request with `STOPPING`. */
  stop(): void {
    this.#stopping = true;
  }

  /** The answer to a request. `goAhead` is called before the body is read (`Expect: 100-continue`). */
  async handle(request: IncomingMessage, goAhead: () => void): Promise<Answer> {
    this.#underWay += 1;
    try {
      return await this.#answer(request, goAhead);
    } finally {
      this.#underWay -= 1;
    }
  }

  async #answer(request: IncomingMessage, goAhead: () => void): Promise<Answer> {
    const head = this.#admit(request);
    if ('code' in head) return this.#refuse(head);
    const { who } = head;
    this.#places.set(who, this.#placesOf(who) + 1);
    try {
      goAhead();
      return await this.#take(request, head);
    } finally {
      const left = this.#placesOf(who) - 1;
      if (left > 0) this.#places.set(who, left);
      else this.#places.delete(who);
    }
  }

  #placesOf(who: string): number {
    return this.#places.get(who) ?? 0;
  }

  /** The checks that need the body. */
  async #take(request: IncomingMessage, { who, format }: Admitted): Promise<Answer> {
    const { parse, rateLimit, maxBodyBytes } = this.#options;
    const body = await readBody(request, maxBodyBytes);
    if ('problem' in body) {
      const message = `the body is larger than ${maxBodyBytes} bytes`;
      const { problem } = body;
      return this.#refuse(problem === 'BODY_TOO_LARGE' ? { code: problem, message } : { code: problem });
    }
    const batch = parse(body.bytes, format);
    const messages = 'problem' in batch ? 1 : batch.messages.length;
    // Counts even if it is refused: bad bodies cost, too.
    const waitMs = rateLimit.take(who, { messages, bytes: body.bytes.length });
    if (waitMs > 0) return this.#refuse(rateLimited(waitMs));
    if ('problem' in batch) {
      const answer = answerProblem(batch.problem);
      this.#options.onAnswer(answer.status, batch.problem.code);
      return answer;
    }
    return this.#send(batch);
  }

  #refuse(refusal: Refusal): Answer {
    const answer = answerRefusal(refusal);
    this.#options.onAnswer(answer.status, refusal.code);
    return answer;
  }

  /** The checks that need only the head. */
  #admit(request: IncomingMessage): Refusal | Admitted {
    const { authorise, rateLimit, maxRequests, maxRequestsPerPublisher } = this.#options;
    const [path = ''] = (request.url ?? '').split('?');
    if (path !== '/v1/publish') return { code: 'NOT_FOUND' };
    if (request.method !== 'POST') return { code: 'METHOD' };
    if (this.#stopping) return { code: 'STOPPING' };
    if (this.#underWay > maxRequests) return { code: 'BUSY' };
    const publisher = authorise(request.headers);
    if (publisher === undefined) return { code: 'UNAUTHORISED' };
    if (publisher.key === undefined && isForeignPage(request)) return { code: 'FOREIGN_PAGE' };
    const who =
      publisher.key === undefined ? networkNamed(request.socket.remoteAddress) : `key ${publisher.key}`;
    if (this.#placesOf(who) >= maxRequestsPerPublisher) return { code: 'SHARE_USED' };
    const waitMs = rateLimit.waitMs(who);
    if (waitMs > 0) return rateLimited(waitMs);
    const format = formatOf(request);
    return format === undefined ? { code: 'CONTENT_TYPE' } : { who, format };
  }

  async #send(batch: Batch): Promise<Answer> {
    const { send, onInvalid, onAnswer } = this.#options;
    const outcomes = await send(
      batch.messages.flatMap((parsed) => ('value' in parsed ? [parsed.value] : [])),
    );
    let next = 0;
    const results = batch.messages.map((parsed) => {
      if ('value' in parsed) return resultOf(parsed, outcomes[next++]);
      onInvalid(parsed.problem.code);
      return resultOf(parsed, undefined);
    });
    const [first] = results;
    const answer = batch.single && first !== undefined ? answerOne(first) : answerBatch(results);
    onAnswer(answer.status);
    return answer;
  }
}

/**
 * Whether a browser sends this for a page whose name can be that of another site: such a page can make its name point
 * here, and publish from behind a firewall. Programs send no Origin, and pages of other names than this one are stopped by
 * the browser, because nothing here answers its question about the content type.
 */
function isForeignPage({ headers }: IncomingMessage): boolean {
  return headers.origin !== undefined && !isKnownHost(headers.host);
}

/** Without keys a publisher is a network: one owner of many addresses counts as one publisher. */
function networkNamed(address = ''): string {
  const ip = parseAddress(address);
  return `network ${ip === undefined ? '' : networkOf(ip)}`;
}

function rateLimited(waitMs: number): Refusal {
  return { code: 'RATE_LIMITED', retryAfterS: Math.max(1, Math.ceil(waitMs / 1000)) };
}

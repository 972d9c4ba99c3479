// The two things that the console does to the cluster: drain one shard, rebalance now. Each is asked once more before it
// is done, needs the token, and is logged.
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';

export type Action = { readonly act: 'drain'; readonly shard: string } | { readonly act: 'rebalance' };

export const ACTION_OUTCOMES = ['asked', 'done', 'failed', 'notAuthorised', 'invalid'] as const;
export type ActionOutcome = (typeof ACTION_OUTCOMES)[number];
export const ACTIONS = ['drain', 'rebalance', 'none'] as const;

/** The answer to a request, and its HTTP status. */
export interface ActAnswer {
  readonly status: number;
  readonly text: string;
  /** To be sent back, as the answer to the question in `text`. */
  readonly confirm?: string;
}

export interface ActionsOptions {
  readonly token: string | undefined;
  /** What a drain of this shard means, as a sentence; undefined if there is no such shard. */
  readonly aboutShard: (shard: string) => string | undefined;
  /** Undefined if the shard does not answer, false if it drains already. */
  readonly drain: (shard: string) => Promise<boolean | undefined>;
  /** What is moved, as a sentence; undefined if no control that leads answers. */
  readonly rebalance: () => Promise<string | undefined>;
  readonly monotonicMs: () => number;
  readonly onAction: (action: Action | undefined, outcome: ActionOutcome, text: string) => void;
}

const confirmWithinMs = 60_000;
const maxAsked = 20;

export class Actions {
  readonly #o: ActionsOptions;
  readonly #asked = new Map<string, { readonly action: Action; readonly untilMs: number }>();

  constructor(options: ActionsOptions) {
    this.#o = options;
  }

  async handle(token: string | undefined, body: unknown): Promise<ActAnswer> {
    if (this.#o.token === undefined)
      return { status: 403, text: 'This console only shows: WEIR_CONSOLE_TOKEN is not set.' };
    if (token === undefined || !isSame(token, this.#o.token)) {
      const text = 'The token is not the one of WEIR_CONSOLE_TOKEN.';
      this.#o.onAction(undefined, 'notAuthorised', text);
      return { status: 401, text };
    }
    const confirmed = this.#confirmed(body);
    if (confirmed !== undefined) return this.#run(confirmed);
    const action = readAction(body);
    if (action === undefined) {
      const text = 'Not understood, or the question was too long ago: ask again.';
      this.#o.onAction(undefined, 'invalid', text);
      return { status: 400, text };
    }
    return this.#ask(action);
  }

  #ask(action: Action): ActAnswer {
    const text = this.#question(action);
    if (text === undefined) return { status: 404, text: 'There is no such shard.' };
    const [oldest] = this.#asked.keys();
    if (this.#asked.size >= maxAsked && oldest !== undefined) this.#asked.delete(oldest);
    const confirm = randomBytes(16).toString('hex');
    this.#asked.set(confirm, { action, untilMs: this.#o.monotonicMs() + confirmWithinMs });
    this.#o.onAction(action, 'asked', text);
    return { status: 200, text, confirm };
  }

  #question(action: Action): string | undefined {
    if (action.act === 'drain') return this.#o.aboutShard(action.shard);
    return 'Shards with far more clients than the average of their pool move some away now, at the usual pace.';
  }

  /** The action that this body confirms; a confirmation is used up by it. */
  #confirmed(body: unknown): Action | undefined {
    const confirm = textOf(body, 'confirm');
    const asked = confirm === undefined ? undefined : this.#asked.get(confirm);
    if (confirm === undefined || asked === undefined) return undefined;
    this.#asked.delete(confirm);
    return this.#o.monotonicMs() <= asked.untilMs ? asked.action : undefined;
  }

  async #run(action: Action): Promise<ActAnswer> {
    const [done, text] = action.act === 'drain' ? await this.#drain(action.shard) : await this.#rebalance();
    this.#o.onAction(action, done ? 'done' : 'failed', text);
    return { status: done ? 200 : 502, text };
  }

  async #drain(shard: string): Promise<readonly [done: boolean, text: string]> {
    const accepted = await this.#o.drain(shard);
    if (accepted === undefined) return [false, `${shard} does not answer.`];
    return accepted ? [true, `${shard} drains.`] : [true, `${shard} drains already.`];
  }

  async #rebalance(): Promise<readonly [done: boolean, text: string]> {
    const text = await this.#o.rebalance();
    return text === undefined ? [false, 'No control that leads answers.'] : [true, text];
  }
}

function readAction(body: unknown): Action | undefined {
  const act = textOf(body, 'act');
  const shard = textOf(body, 'shard');
  if (act === 'rebalance') return { act };
  return act === 'drain' && shard !== undefined ? { act, shard } : undefined;
}

function textOf(body: unknown, name: string): string | undefined {
  if (typeof body !== 'object' || body === null || !Object.hasOwn(body, name)) return undefined;
  const value: unknown = Reflect.get(body, name);
  return typeof value === 'string' && value.length <= 128 ? value : undefined;
}

/** Takes as long for a wrong token as for the right one. */
function isSame(one: string, other: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(one), digest(other));
}

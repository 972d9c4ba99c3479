// A crowd of SDK clients outside the cluster in their own processes, and a feed that numbers its critical messages.
// Reports what was lost, doubled or late, and how often each client moved.
import type { ChildProcess } from 'node:child_process';
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { end } from '../../harness/end.ts';
import type { Publisher } from './lab.ts';

const CLIENTS_A_PROCESS = 1_000;
const script = fileURLToPath(new URL('./crowd-process.mjs', import.meta.url));

/** Events of the clients since the last mark. */
export interface Episode {
  /** Milliseconds from the mark until every client was open and had data again. */
  readonly backAfterMs: number;
  /** Connections that ended without a move. */
  readonly breaks: number;
  /** Longest time that any client had no data. */
  readonly longestSilenceMs: number;
  /** Clients without data for more than 2 s at a time, and their shards in order. */
  readonly silent: number;
  readonly silentOn: Readonly<Record<string, number>>;
  /** Longest stall of the clients' own processes: on a machine that is too small, the silence comes from them. */
  readonly longestStallMs: number;
  /** Longest pause between two messages of the feed: NATS had not acknowledged the first one. */
  readonly longestFeedGapMs: number;
  /** Number of clients by their number of further shards. */
  readonly moved: Readonly<Record<number, number>>;
}

interface Losses {
  readonly lost: number;
  readonly doubled: number;
  readonly gaps: number;
}

/** Losses of all clients, including those that left; other values of the clients that are still here. */
export interface CrowdReport extends Omit<Episode, 'backAfterMs'>, Losses {
  readonly published: number;
  readonly clients: number;
}

export interface CrowdOptions {
  readonly channel: string;
  /** Interval between two messages of each lane. */
  readonly everyMs?: number;
}

export interface JoinOptions {
  readonly class?: string;
  /** Pause between two clients. */
  readonly paceMs?: number;
  readonly quietMs?: number;
}

/** The report of a process about one client. */
interface Member {
  readonly shards: readonly string[];
  readonly firstNumber: number;
  readonly got: number;
  readonly doubled: number;
  readonly gaps: number;
  readonly breaks: number;
  readonly silenceMs: number;
  readonly stallMs: number;
}

interface Health {
  readonly open: number;
  readonly silent: number;
  readonly reached: number;
}

export class Crowd {
  readonly #publisher: Publisher;
  readonly #channel: string;
  readonly #everyMs: number;
  readonly #parts: Part[] = [];
  readonly #gone: Losses[] = [];
  #published = 0;
  #feedGapMs = 0;
  #padding = '';
  #feed: Promise<void> | undefined;
  #ended = false;

  constructor(publisher: Publisher, { channel, everyMs = 100 }: CrowdOptions) {
    this.#publisher = publisher;
    this.#channel = channel;
    this.#everyMs = everyMs;
  }

  get size(): number {
    return this.#parts.reduce((sum, { size }) => sum + size, 0);
  }

  /** Resolves when all clients have a stream. */
  async join(url: string, count: number, options: JoinOptions = {}): Promise<void> {
    const { class: kind, paceMs = 0, quietMs } = options;
    for (let left = count; left > 0; ) {
      const last = this.#parts.at(-1);
      const part = last !== undefined && last.size < CLIENTS_A_PROCESS ? last : new Part();
      if (part !== last) this.#parts.push(part);
      const some = Math.min(left, CLIENTS_A_PROCESS - part.size);
      part.size += some;
      await part.ask('join', { url, channel: this.#channel, kind, quietMs, count: some, paceMs });
      left -= some;
    }
  }

  /** Closes `count` clients from number `first` on; their losses so far count. */
  async leave(first: number, count: number): Promise<void> {
    let before = 0;
    let left = count;
    for (const part of this.#parts) {
      const from = Math.max(0, first - before);
      const some = Math.min(left, part.size - from);
      before += part.size;
      if (some <= 0) continue;
      part.size -= some;
      left -= some;
      this.#gone.push((await part.ask('leave', { from, count: some })) as Losses);
    }
  }

  /** Number of clients on each shard. */
  async shards(): Promise<Readonly<Record<string, number>>> {
    return tally((await this.#members()).map(({ shards }) => shards.at(-1) ?? ''));
  }

  /** Starts the feed: a critical message and a state key, repeatedly. */
  start(): void {
    this.#feed = this.#publishAll();
  }

  /** Pads the value of the state key from now on. */
  grow(bytes: number): void {
    this.#padding = 'x'.repeat(bytes);
  }

  /** Events of the clients since the last look. */
  async look(): Promise<Omit<Episode, 'backAfterMs'>> {
    const found = this.#summed(await this.#members());
    await this.#mark();
    return found;
  }

  /** Runs `what` against the cluster; resolves when all clients have been well for a while. */
  async episode(what: () => Promise<void>, timeoutMs = 120_000): Promise<Episode> {
    await this.#mark();
    const began = performance.now();
    await what();
    const done = performance.now();
    let lastIll = began;
    while (performance.now() - Math.max(lastIll, done) < 4_000) {
      await delay(100);
      if (!this.#allAreWell()) lastIll = performance.now();
      if (performance.now() - done > timeoutMs) throw new Error(`not all clients are back: ${this.#say()}`);
    }
    return { backAfterMs: Math.round(lastIll - began), ...this.#summed(await this.#members()) };
  }

  /** Ends the feed, waits for the last messages to arrive, and sums up. */
  async end(): Promise<CrowdReport> {
    this.#ended = true;
    await this.#feed;
    const all = this.#published;
    const arrived = (): boolean => this.#parts.every(({ health }) => health.reached >= all);
    await until(arrived, 'the last messages', 15_000).catch(() => {});
    const members = await this.#members();
    await this.stop();
    const losses: readonly Losses[] = [
      ...this.#gone,
      ...members.map(({ got, firstNumber, ...one }) => ({ ...one, lost: all - firstNumber - got })),
    ];
    const sum = (of: keyof Losses): number => losses.reduce((total, one) => total + one[of], 0);
    return {
      published: all,
      clients: members.length,
      lost: sum('lost'),
      doubled: sum('doubled'),
      gaps: sum('gaps'),
      ...this.#summed(members),
    };
  }

  async stop(): Promise<void> {
    this.#ended = true;
    await this.#feed?.catch(() => {});
    await Promise.all(this.#parts.splice(0).map((part) => part.stop()));
  }

  async #members(): Promise<readonly Member[]> {
    const reports = await Promise.all(this.#parts.map((part) => part.ask('report', {})));
    return reports.flat() as readonly Member[];
  }

  async #mark(): Promise<void> {
    this.#feedGapMs = 0;
    await Promise.all(this.#parts.map((part) => part.ask('mark', {})));
  }

  #allAreWell(): boolean {
    return this.#parts.every(({ size, health }) => health.open === size && health.silent === 0);
  }

  #say(): string {
    return this.#parts.map(({ size, health }) => `${JSON.stringify(health)} of ${size}`).join(', ');
  }

  #summed(members: readonly Member[]): Omit<Episode, 'backAfterMs'> {
    const silent = members.filter(({ silenceMs }) => silenceMs > 2_000);
    return {
      breaks: members.reduce((sum, { breaks }) => sum + breaks, 0),
      longestSilenceMs: Math.max(0, ...members.map(({ silenceMs }) => silenceMs)),
      silent: silent.length,
      silentOn: tally(silent.map(({ shards }) => shards.join(' > '))),
      longestStallMs: Math.max(0, ...members.map(({ stallMs }) => stallMs)),
      longestFeedGapMs: Math.round(this.#feedGapMs),
      moved: tally(members.map(({ shards }) => shards.length - 1)),
    };
  }

  async #publishAll(): Promise<void> {
    let before = performance.now();
    while (!this.#ended) {
      const began = performance.now();
      this.#feedGapMs = Math.max(this.#feedGapMs, began - before);
      before = began;
      const number = this.#published;
      await this.#publisher.publish([
        { lane: 'critical', channel: this.#channel, data: number, id: `${this.#channel}-${number}` },
        { lane: 'state', channel: this.#channel, key: 'tick', data: `${number}${this.#padding}` },
      ]);
      this.#published++;
      await delay(Math.max(0, this.#everyMs - (performance.now() - began)));
    }
  }
}

/** One process full of clients. */
class Part {
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, { resolve: (answer: unknown) => void; reject: (why: Error) => void }>();
  #orders = 0;
  size = 0;
  health: Health = { open: 0, silent: 0, reached: 0 };

  constructor() {
    this.#child = fork(script, { execArgv: [] });
    this.#child.on('message', (said: { health: Health } | { id: number; answer: unknown }) => {
      if ('health' in said) this.health = said.health;
      else {
        this.#waiting.get(said.id)?.resolve(said.answer);
        this.#waiting.delete(said.id);
      }
    });
    this.#child.on('exit', () => {
      for (const { reject } of this.#waiting.values()) reject(new Error('a process of clients has ended'));
    });
  }

  ask(order: string, options: object): Promise<unknown> {
    const id = ++this.#orders;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#child.send({ id, order, options });
    });
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    await end(this.#child, 'SIGKILL');
  }
}

/** How often each key occurs. */
function tally(keys: readonly (string | number)[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const key of keys) counts[key] = (counts[key] ?? 0) + 1;
  return counts;
}

export function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Waits for a condition; fails with `what` at the deadline. */
export async function until(
  isSo: () => boolean | Promise<boolean>,
  what: string,
  timeoutMs = 60_000,
): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (!(await isSo())) {
    if (performance.now() > deadline) throw new Error(`after ${timeoutMs} ms still not: ${what}`);
    await delay(200);
  }
}

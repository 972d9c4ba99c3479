// The shard's answer to a client with a good ticket: whether it is the ticket's first use, and where its channels begin.
// A client whose position is ahead of this shard waits a moment, since the shard may merely be a moment behind.
import type { Position } from '@weir/protocol';
import { UsedOnce } from '@weir/runtime';
import type { Arrived, Arriving, ChannelStart } from '../../port/messages.ts';
import type { DrawLimits } from './draws.ts';
import { Draws } from './draws.ts';

/** How long a client's position may be ahead of this shard before it counts as one of another epoch. */
const REACH_MS = 2_000;
const REACH_STEP_MS = 20;
/** If a position is ahead for this long, the shard looks at the streams. */
const POKE_MS = 200;

export interface ArrivalsOptions {
  readonly maxUsedTickets: number;
  readonly draws: DrawLimits;
  /** Bytes of the snapshot of a channel, about. */
  readonly snapshotBytes: (channel: string) => number;
  /** Bytes of the critical messages of a channel after a sequence, and of its newest ones, about. */
  readonly criticalBytes: (
    channel: string,
    which: { readonly afterSeq: number } | { readonly last: number },
  ) => number;
  /** Whether this shard has not yet read as far as the position claims. */
  readonly isAhead: (position: Position) => boolean;
  readonly startOf: (channel: string, arriving: Pick<Arriving, 'position' | 'last'>) => ChannelStart;
  /** Look at the streams now. */
  readonly poke: () => void;
  readonly nowMs: () => number;
  readonly sleep: (ms: number) => Promise<void>;
}

/** Critical messages that a client may have missed before they are charged: one piece of a catch-up. */
const FREE_BYTES = 65_536;

/** The way back to a thread. */
interface Asker {
  reply(reply: { readonly kind: 'arrived'; readonly id: number; readonly arrived: Arrived }): void;
  flushReplies(): void;
}

export class Arrivals {
  readonly #o: ArrivalsOptions;
  readonly #used: UsedOnce;
  readonly #draws: Draws;

  constructor(options: ArrivalsOptions) {
    this.#o = options;
    this.#draws = new Draws(options.draws);
    this.#used = new UsedOnce(options.maxUsedTickets);
  }

  get usedTickets(): number {
    return this.#used.size;
  }

  get networks(): number {
    return this.#draws.networks;
  }

  /** Judges an arrival now, or as soon as this shard has read as far as the position says. */
  judge(arriving: Arriving): Arrived | Promise<Arrived> {
    const { ticketId, expiresInMs, channels, position } = arriving;
    const { isAhead, startOf, nowMs } = this.#o;
    const use = this.#used.use(ticketId, nowMs(), expiresInMs);
    if (use !== 'first') return { use };
    const arrived = (): Arrived => {
      const starts = channels.map((channel) => startOf(channel, arriving));
      return this.#draw(starts, arriving) ? { use, starts } : { use: 'drawsTooMuch' };
    };
    if (position === undefined || !isAhead(position)) return arrived();
    return this.#reach(position).then(arrived);
  }

  /** Judges an arrival and tells the thread that asked. */
  answer(asker: Asker, { id, arrival }: { readonly id: number; readonly arrival: Arriving }): void {
    const judged = this.judge(arrival);
    if (!(judged instanceof Promise)) return asker.reply({ kind: 'arrived', id, arrived: judged });
    void judged.then((arrived) => {
      asker.reply({ kind: 'arrived', id, arrived });
      asker.flushReplies();
    });
  }

  /** Whether the client may have what it begins with, which is charged to its network. */
  #draw(starts: readonly ChannelStart[], { network, position }: Arriving): boolean {
    const { snapshotBytes, criticalBytes, nowMs } = this.#o;
    // A ticket of an older router names none.
    if (network === undefined) return true;
    let bytes = 0;
    let missed = 0;
    for (const { channel, snapshot, criticalSeq, last } of starts) {
      if (snapshot) bytes += snapshotBytes(channel);
      if (last !== undefined) bytes += criticalBytes(channel, { last });
      else if (position !== undefined) missed += criticalBytes(channel, { afterSeq: criticalSeq });
    }
    // An old position can be shown again and again; a client that was away for a moment waits for no neighbour.
    if (missed > FREE_BYTES) bytes += missed;
    if (bytes === 0) return true;
    if (!this.#draws.mayDraw(network, nowMs())) return false;
    this.#draws.charge(network, bytes, nowMs());
    return true;
  }

  async #reach(position: Position): Promise<void> {
    const { isAhead, poke, sleep } = this.#o;
    for (let waitedMs = 0; waitedMs < REACH_MS && isAhead(position); waitedMs += REACH_STEP_MS) {
      if (waitedMs === POKE_MS) poke();
      await sleep(REACH_STEP_MS);
    }
  }
}

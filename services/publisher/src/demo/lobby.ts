// The demo feed: a casino lobby. Slots with jackpots, live dealer tables, jackpot hits and effects.
// Pure: the randomness is given, and one step makes the messages of one period (about 2 KB).

/** One message of a feed, its data as text. */
export interface FeedMessage {
  readonly lane: 'state' | 'critical' | 'cosmetic';
  readonly channel: string;
  readonly key?: string;
  /** Nothing deletes the key. */
  readonly data: unknown;
}

/** Time between two steps. */
export const LOBBY_STEP_MS = 500;

const CHANNEL = 'lobby';
const SLOTS = 40;
const TABLES = 8;
const CHANGES = 18;
const HIT_CHANCE = 0.08;
const NAMES = [
  'Golden Reef',
  'Pharaoh',
  'Lucky Weir',
  'Neon Nights',
  'River Queen',
  'Wild Salmon',
  'Old Mill',
  'Cascade',
];
const GAMES = ['blackjack', 'roulette', 'baccarat', 'poker'];

interface Slot {
  readonly name: string;
  active: boolean;
  jackpot: number;
}

/** Makes the feed, a step at a time. */
export class Lobby {
  readonly #random: () => number;
  readonly #slots: Slot[];
  readonly #players: number[];
  #hits = 0;
  #started = false;

  constructor(random: () => number) {
    this.#random = random;
    this.#slots = Array.from({ length: SLOTS }, (_, i) => ({
      name: `${NAMES[i % NAMES.length]} ${1 + Math.floor(i / NAMES.length)}`,
      active: true,
      jackpot: 1_000 + this.#below(9_000),
    }));
    this.#players = Array.from({ length: TABLES }, () => this.#below(7));
  }

  /** The messages of the next period; the first brings everything. */
  step(): readonly FeedMessage[] {
    if (!this.#started) {
      this.#started = true;
      return [...this.#slots.keys()]
        .map((i) => this.#slot(i))
        .concat([...this.#players.keys()].map((i) => this.#table(i)));
    }
    const messages: FeedMessage[] = [];
    const changed = new Set(Array.from({ length: CHANGES }, () => this.#below(SLOTS)));
    for (const i of changed) messages.push(this.#play(i));
    const table = this.#below(TABLES);
    this.#players[table] = this.#below(8);
    messages.push(this.#table(table));
    const winner = this.#below(SLOTS);
    if (this.#random() < HIT_CHANCE) messages.push(...this.#hit(winner));
    messages.push({
      lane: 'cosmetic',
      channel: CHANNEL,
      data: { effect: 'coins', slot: `slot-${winner}`, size: 1 + this.#below(5) },
    });
    return messages;
  }

  #play(i: number): FeedMessage {
    const slot = this.#slots[i];
    if (slot === undefined) throw new RangeError('no such slot');
    if (this.#random() < 0.02) slot.active = !slot.active;
    slot.jackpot += this.#below(400) / 100;
    return this.#slot(i);
  }

  #hit(i: number): readonly FeedMessage[] {
    const slot = this.#slots[i];
    if (slot === undefined || !slot.active) return [];
    const amount = Math.round(slot.jackpot * 100) / 100;
    slot.jackpot = 1_000;
    this.#hits++;
    const data = { hit: this.#hits, slot: `slot-${i}`, name: slot.name, amount };
    return [{ lane: 'critical', channel: CHANNEL, data }, this.#slot(i)];
  }

  /** An active slot, or its deletion while it is closed. */
  #slot(i: number): FeedMessage {
    const slot = this.#slots[i];
    const key = `slot-${i}`;
    if (slot === undefined || !slot.active) return { lane: 'state', channel: CHANNEL, key, data: undefined };
    const jackpot = Math.round(slot.jackpot * 100) / 100;
    return {
      lane: 'state',
      channel: CHANNEL,
      key,
      data: { name: slot.name, jackpot, players: this.#below(60) },
    };
  }

  #table(i: number): FeedMessage {
    const data = { game: GAMES[i % GAMES.length], players: this.#players[i], seats: 7 };
    return { lane: 'state', channel: CHANNEL, key: `table-${i}`, data };
  }

  #below(limit: number): number {
    return Math.floor(this.#random() * limit);
  }
}

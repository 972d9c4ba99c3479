// A simulated casino lobby: active slots, jackpots, dealer tables. Pure: the same randomness gives the same lobby;
// knows nothing of time, files or NATS.
import type { Message } from '../parse/message.ts';

/** Period of `next`: about 2 KB per call, so about 4 KB a second. */
export const lobbyPeriodMs = 500;

const slotCount = 60;
const tableCount = 12;
const slotChangesPerTurn = 40;
const tableChangesPerTurn = 8;
const themes = ['Pharaoh', 'Reef', 'Comet', 'Orchard', 'Viking', 'Jade', 'Saloon', 'Aurora'] as const;
const games = ['blackjack', 'roulette', 'baccarat', 'poker'] as const;
const dealers = ['Ana', 'Bilal', 'Chiara', 'Dmitri', 'Ewa', 'Farid', 'Greta', 'Hiro'] as const;
const jackpots = [
  { key: 'jackpot-1', name: 'Mini', seed: 500, growth: 3, odds: 0.09 },
  { key: 'jackpot-2', name: 'Minor', seed: 5_000, growth: 9, odds: 0.03 },
  { key: 'jackpot-3', name: 'Major', seed: 50_000, growth: 25, odds: 0.008 },
  { key: 'jackpot-4', name: 'Grand', seed: 1_000_000, growth: 90, odds: 0.001 },
] as const;
/** Probability per turn that one slot leaves the lobby or returns. */
const comeOrGoOdds = 0.15;
const burstOdds = 0.6;

export interface LobbyOptions {
  readonly channel: string;
  /** 0 ≤ value < 1. */
  readonly random: () => number;
  /** Number of the first jackpot hit; they rise by one. */
  readonly firstHit: number;
}

interface Slot {
  open: boolean;
  players: number;
  jackpot: number;
}

interface Table {
  open: boolean;
  players: number;
  dealer: string;
}

/** The lobby; every call of `next` plays one turn and returns the messages to publish. */
export class Lobby {
  readonly #channel: string;
  readonly #random: () => number;
  readonly #slots: Slot[];
  readonly #tables: Table[];
  readonly #pots: number[] = jackpots.map(({ seed }) => seed);
  #hit: number;
  #begun = false;

  constructor({ channel, random, firstHit }: LobbyOptions) {
    this.#channel = channel;
    this.#random = random;
    this.#hit = firstHit;
    this.#slots = Array.from({ length: slotCount }, () => ({
      open: random() < 0.8,
      players: this.#upTo(9),
      jackpot: 100 + this.#upTo(900),
    }));
    this.#tables = Array.from({ length: tableCount }, () => ({
      open: random() < 0.8,
      players: this.#upTo(8),
      dealer: this.#oneOf(dealers),
    }));
  }

  /** Makes the next turn publish the whole lobby again, because a message was lost. */
  sayAll(): void {
    this.#begun = false;
  }

  /** One turn. The first publishes the whole lobby, and deletes keys that an earlier run may have left. */
  next(): readonly Message[] {
    if (!this.#begun) {
      this.#begun = true;
      return [
        ...this.#slots.map((_, index) => this.#slotMessage(index)),
        ...this.#tables.map((_, index) => this.#tableMessage(index)),
        ...jackpots.map((_, index) => this.#potMessage(index)),
      ];
    }
    return [...this.#playSlots(), ...this.#playTables(), ...this.#playPots(), ...this.#bursts()];
  }

  #playSlots(): readonly Message[] {
    const changed = this.#some(slotCount, slotChangesPerTurn);
    const [first = 0] = changed;
    const comeOrGo = this.#slots[first];
    if (comeOrGo !== undefined && this.#random() < comeOrGoOdds) comeOrGo.open = !comeOrGo.open;
    return changed
      .filter((index) => index === first || this.#slots[index]?.open === true)
      .map((index) => {
        const slot = this.#slots[index];
        if (slot !== undefined) {
          slot.players = clamp(slot.players + this.#upTo(5) - 2, 0, 40);
          slot.jackpot += this.#random() * slot.players;
        }
        return this.#slotMessage(index);
      });
  }

  #playTables(): readonly Message[] {
    return this.#some(tableCount, tableChangesPerTurn).map((index) => {
      const table = this.#tables[index];
      if (table !== undefined) {
        table.players = clamp(table.players + this.#upTo(3) - 1, 0, 7);
        if (this.#random() < 0.02) table.open = !table.open;
        if (this.#random() < 0.05) table.dealer = this.#oneOf(dealers);
      }
      return this.#tableMessage(index);
    });
  }

  #playPots(): readonly Message[] {
    return jackpots.flatMap(({ growth, odds, seed, name }, index) => {
      const amount = (this.#pots[index] ?? seed) + this.#random() * growth;
      this.#pots[index] = amount;
      if (this.#random() >= odds) return [this.#potMessage(index)];
      const slot = `slot-${1 + this.#upTo(slotCount)}`;
      const hit = { hit: this.#hit, jackpot: name, slot, amount: cents(amount), player: this.#player() };
      this.#hit += 1;
      this.#pots[index] = seed;
      const shower = { effect: 'coin-shower', slot, coins: 200 };
      return [this.#message('critical', hit), this.#potMessage(index), this.#message('cosmetic', shower)];
    });
  }

  #bursts(): readonly Message[] {
    if (this.#random() >= burstOdds) return [];
    const burst = {
      effect: 'coin-burst',
      slot: `slot-${1 + this.#upTo(slotCount)}`,
      coins: 5 + this.#upTo(40),
    };
    return [this.#message('cosmetic', burst)];
  }

  #slotMessage(index: number): Message {
    const { open = false, players = 0, jackpot = 0 } = this.#slots[index] ?? {};
    const name = `${themes[index % themes.length]} ${1 + Math.floor(index / themes.length)}`;
    return this.#state(
      `slot-${index + 1}`,
      open && { name, active: players > 0, jackpot: cents(jackpot), players },
    );
  }

  #tableMessage(index: number): Message {
    const { open = false, players = 0, dealer = '' } = this.#tables[index] ?? {};
    const game = games[index % games.length];
    const minBet = 5 * (1 + (index % 5));
    return this.#state(`table-${index + 1}`, open && { game, dealer, players, seats: 7, minBet });
  }

  #potMessage(index: number): Message {
    const { key = '', name = '', seed = 0 } = jackpots[index] ?? {};
    return this.#state(key, { name, amount: cents(this.#pots[index] ?? seed), currency: 'EUR' });
  }

  /** `false` deletes the key. */
  #state(key: string, value: object | false): Message {
    const address = { lane: 'state', channel: this.#channel, key } as const;
    return { address, data: value === false ? new Uint8Array(0) : encode(value) };
  }

  #message(lane: 'critical' | 'cosmetic', value: object): Message {
    return { address: { lane, channel: this.#channel }, data: encode(value) };
  }

  /** `count` different numbers below `end`. */
  #some(end: number, count: number): readonly number[] {
    const chosen = new Set<number>();
    const start = this.#upTo(end);
    for (let i = 0; i < count; i += 1) chosen.add((start + i * 7) % end);
    return [...chosen];
  }

  #upTo(end: number): number {
    return Math.floor(this.#random() * end);
  }

  #oneOf<T>(values: readonly [T, ...T[]]): T {
    return values[this.#upTo(values.length)] ?? values[0];
  }

  #player(): string {
    return `${this.#oneOf(['Mia', 'Noah', 'Lena', 'Omar', 'Yuki', 'Sam'])} ${this.#oneOf(['B', 'K', 'R', 'T'])}.`;
  }
}

function clamp(value: number, min: number, max: number): number {
  return Math.min(max, Math.max(min, value));
}

function cents(amount: number): number {
  return Math.round(amount * 100) / 100;
}

function encode(value: object): Uint8Array {
  return Buffer.from(JSON.stringify(value));
}

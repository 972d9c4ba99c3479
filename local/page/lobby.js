// The demo feed as an application: a casino's lobby with jackpots, tables, slots, and hits that pop up.
import { element, isStill, put } from '/show.js';

const money = new Intl.NumberFormat('en', { style: 'currency', currency: 'EUR', minimumFractionDigits: 2 });
const byName = new Intl.Collator('en', { numeric: true }).compare;
const SLOTS = 12;
const HIT_MS = 6_000;
const TICK_MS = 600;

export class Lobby {
  #pots = list('pots');
  #tables = list('tables');
  #slots = list('slots');
  #hit = element('p', 'hit');
  #hits = element('ol', 'hits');
  #cards = new Map();
  /** Of all slots, also those for which there is no room. */
  #names = new Map();
  #hitTimer;

  constructor(root, channel) {
    this.#hit.dataset.shown = 'false';
    this.#hits.setAttribute('aria-label', 'The last jackpots that were hit');
    root.append(
      this.#pots,
      this.#hit,
      element('h3', '', 'Tables'),
      this.#tables,
      element('h3', '', 'Slots'),
      this.#slots,
      element('h3', '', 'Last hits'),
      this.#hits,
    );
    channel.on('state', ({ set, del }) => {
      for (const key of del) this.#remove(key);
      for (const [key, value] of set) this.#show(key, value);
    });
    channel.on('critical', ({ data }) => this.#won(data));
  }

  #remove(key) {
    this.#cards.get(key)?.root.remove();
    this.#cards.delete(key);
  }

  #show(key, value) {
    const [, kind] = /^(jackpot|table|slot)-\d+$/.exec(key) ?? [];
    if (kind === undefined || typeof value !== 'object' || value === null) return;
    const [place, make] = {
      jackpot: [this.#pots, makePot],
      table: [this.#tables, makeTable],
      slot: [this.#slots, makeSlot],
    }[kind];
    this.#names.set(key, value.name);
    let card = this.#cards.get(key);
    if (card === undefined) {
      if (kind === 'slot' && place.children.length >= SLOTS) return;
      card = make(value);
      card.root.dataset.key = key;
      this.#cards.set(key, card);
      const after = [...place.children].find((other) => byName(other.dataset.key, key) > 0);
      place.insertBefore(card.root, after ?? null);
    }
    card.update(value);
  }

  #won({ jackpot, slot, amount, player }) {
    if (amount === undefined) return;
    const machine = this.#names.get(slot) ?? slot.replace('-', ' ');
    put(this.#hit, `${player} hits the ${jackpot}: ${money.format(amount)}`);
    this.#hit.dataset.shown = 'true';
    clearTimeout(this.#hitTimer);
    this.#hitTimer = setTimeout(() => {
      this.#hit.dataset.shown = 'false';
    }, HIT_MS);
    this.#hits.prepend(
      element('li', '', element('b', '', money.format(amount)), ` ${jackpot}, ${player} on ${machine}`),
    );
    while (this.#hits.children.length > 4) this.#hits.lastElementChild.remove();
  }
}

function list(className) {
  return element('ul', className);
}

/** A jackpot counts up to its newest amount, as the machines do. */
function makePot({ name }) {
  const amount = element('strong', '');
  const root = element('li', '', element('span', '', name), amount);
  root.dataset.pot = name;
  let shown;
  let frame;
  const update = ({ amount: to }) => {
    cancelAnimationFrame(frame);
    const from = shown ?? to;
    const beganMs = performance.now();
    const step = () => {
      const part = isStill() || to < from ? 1 : Math.min(1, (performance.now() - beganMs) / TICK_MS);
      shown = from + (to - from) * part;
      put(amount, money.format(shown));
      if (part < 1) frame = requestAnimationFrame(step);
    };
    step();
  };
  return { root, name, update };
}

function makeTable({ game }) {
  const dealer = element('span', 'soft');
  const bet = element('span', 'soft');
  const seats = element('span', 'seats');
  const root = element('li', '', element('b', '', game), seats, dealer, bet);
  const update = ({ dealer: name, players, seats: all, minBet }) => {
    put(dealer, name);
    put(bet, `from ${money.format(minBet)}`);
    const text = `${players} of ${all} seats taken`;
    if (seats.getAttribute('aria-label') === text) return;
    seats.setAttribute('role', 'img');
    seats.setAttribute('aria-label', text);
    seats.replaceChildren(
      ...Array.from({ length: all }, (_, at) => element('i', at < players ? 'taken' : '')),
    );
  };
  return { root, name: game, update };
}

function makeSlot({ name }) {
  const players = element('span', 'soft');
  const jackpot = element('span', 'money');
  const root = element('li', '', element('b', '', name), jackpot, players);
  const update = ({ jackpot: amount, players: count }) => {
    put(jackpot, money.format(amount));
    put(players, count === 0 ? 'free' : `${count} ${count === 1 ? 'player' : 'players'}`);
    root.dataset.busy = String(count > 0);
  };
  return { root, name, update };
}

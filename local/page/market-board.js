// The market as an application shows it: a row for each match. Touches only what has changed.
import { element, put } from '/show.js';

const MOVED_MS = 700;

export class MarketBoard {
  root = element('ul', 'market');
  #rows = new Map();
  #limit;

  constructor(limit) {
    this.#limit = limit;
  }

  draw(values, nowMs) {
    for (const [key, quote] of values) {
      let row = this.#rows.get(key);
      if (row === undefined) {
        const place = Number(key.split('-').at(-1));
        if (place > this.#limit) continue;
        row = makeRow(quote);
        row.root.style.order = String(place); // whichever comes first, all devices show the same order
        this.#rows.set(key, row);
        this.root.append(row.root);
      }
      if (row.n !== quote.n) update(row, quote, nowMs);
      for (const cell of row.odds) if (cell.until !== 0 && nowMs > cell.until) settle(cell);
    }
  }
}

function makeRow({ home, away }) {
  const score = [0, 1].map(() => element('span', 'score'));
  const odds = [0, 1, 2].map(() => ({ place: element('span', 'odds'), value: undefined, until: 0 }));
  const side = (name, at) => element('span', 'side', element('span', 'team', name), ' ', score[at]);
  const teams = element('span', 'teams', side(home, 0), side(away, 1));
  const root = element('li', '', teams, element('span', 'prices', ...odds.map(({ place }) => place)));
  return { root, score, odds, n: undefined };
}

function update(row, { n, score, odds }, nowMs) {
  row.n = n;
  for (const [at, place] of row.score.entries()) put(place, String(score[at]));
  for (const [at, cell] of row.odds.entries()) {
    const value = odds[at];
    if (cell.value !== undefined && value !== cell.value) {
      cell.place.dataset.moved = value > cell.value ? 'up' : 'down';
      cell.until = nowMs + MOVED_MS;
    }
    cell.value = value;
    put(cell.place, value.toFixed(2));
  }
}

function settle(cell) {
  delete cell.place.dataset.moved;
  cell.until = 0;
}

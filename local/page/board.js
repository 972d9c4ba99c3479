// The live state: a card per key, grouped by the beginning of the key, kept in order. Bounded.
import { element, fields, groupOf } from '/show.js';

const CARDS = 400;
const FRESH_MS = 700;
const byName = new Intl.Collator('en', { numeric: true }).compare;

export class Board {
  #root;
  #cards = new Map();
  #lists = new Map();

  constructor(root) {
    this.#root = root;
  }

  /** Applies a `state` event of the channel. */
  update(channel, { set, del }) {
    for (const key of del) this.#remove(`${channel} ${key}`);
    for (const [key, value] of set) this.#put(channel, key, value);
  }

  clear() {
    this.#cards.clear();
    this.#lists.clear();
    this.#root.replaceChildren();
  }

  #put(channel, key, value) {
    let card = this.#cards.get(`${channel} ${key}`);
    if (card === undefined) {
      if (this.#cards.size >= CARDS) return;
      card = element('li', '');
      card.dataset.key = key;
      this.#cards.set(`${channel} ${key}`, card);
      const list = this.#listOf(`${channel} / ${groupOf(key)}`);
      const after = [...list.children].find((other) => byName(other.dataset.key, key) > 0);
      list.insertBefore(card, after ?? null);
    }
    card.replaceChildren(element('strong', '', key), fields(value));
    card.classList.add('fresh');
    clearTimeout(card.freshTimer);
    card.freshTimer = setTimeout(() => card.classList.remove('fresh'), FRESH_MS);
  }

  #remove(name) {
    const card = this.#cards.get(name);
    if (card === undefined) return;
    this.#cards.delete(name);
    const list = card.parentElement;
    card.remove();
    if (list?.children.length === 0) {
      this.#lists.delete(list.dataset.title);
      list.previousElementSibling?.remove();
      list.remove();
    }
  }

  #listOf(title) {
    let list = this.#lists.get(title);
    if (list === undefined) {
      if (this.#lists.size === 0) this.#root.replaceChildren();
      list = element('ul', 'cards');
      list.dataset.title = title;
      this.#lists.set(title, list);
      this.#root.append(element('h3', '', title), list);
    }
    return list;
  }
}

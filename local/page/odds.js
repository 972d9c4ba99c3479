// A recording played as a second application: two matches of a betting market, with their goals.
import { element, put } from '/show.js';

const WORDS = [
  ['home', '1'],
  ['draw', 'X'],
  ['away', '2'],
];
const EVENTS = 8;
const SHELL = element(
  'code',
  'words',
  ...'npx weir-publish replay examples/market.ndjson.gz --speed 10'
    .split(' ')
    .flatMap((word) => [element('span', '', word), ' ']),
);

export class Odds {
  #matches = element('ul', 'matches');
  #events = element('ol', 'hits');
  #cards = new Map();
  #empty = element(
    'p',
    'soft',
    'Nothing is being played. The recording has two matches of a minute; it plays ten times as fast, on the channel odds.',
  );

  constructor({ root, channel, live }) {
    const play = element('button', '', 'Play the recording');
    play.type = 'button';
    play.dataset.action = 'replay';
    const said = element('p', 'soft');
    said.setAttribute('role', 'status');
    let isPlaying = false;
    const begin = () => {
      if (isPlaying) return;
      isPlaying = true;
      play.setAttribute('aria-disabled', 'true');
      put(said, 'Playing …');
      live
        .ask({ do: 'replay' })
        .then(
          () => said.replaceChildren('The same from a shell: ', SHELL.cloneNode(true)),
          (error) => put(said, error.message),
        )
        .finally(() => {
          isPlaying = false;
          play.removeAttribute('aria-disabled');
        });
    };
    play.addEventListener('click', begin);
    // The first time it is seen it plays by itself.
    const seen = new IntersectionObserver(([entry]) => {
      if (!entry.isIntersecting) return;
      seen.disconnect();
      begin();
    });
    seen.observe(play);
    this.#events.setAttribute('aria-label', 'Goals');
    root.append(element('div', 'line', play, said), this.#empty, this.#matches, this.#events);
    channel.on('state', ({ set, del }) => {
      for (const key of del) this.#remove(key);
      for (const [key, value] of set) this.#show(key, value);
    });
    channel.on('critical', ({ data }) => this.#scored(data));
  }

  #remove(key) {
    this.#cards.get(key)?.root.remove();
    this.#cards.delete(key);
    this.#empty.hidden = this.#cards.size > 0;
  }

  #show(key, value) {
    if (typeof value?.home !== 'number' || this.#cards.size > 20) return;
    let card = this.#cards.get(key);
    if (card === undefined) {
      card = makeMatch(key);
      this.#cards.set(key, card);
      this.#matches.append(card.root);
      this.#empty.hidden = true;
    }
    card.update(value);
  }

  #scored({ goal, match, score } = {}) {
    if (score === undefined) return;
    const text =
      goal === undefined ? `${match}: ${score}` : `Goal for the ${goal} team of ${match}: ${score}`;
    this.#events.prepend(element('li', '', text));
    while (this.#events.children.length > EVENTS) this.#events.lastElementChild.remove();
  }
}

function makeMatch(key) {
  const score = element('strong', 'score');
  const cells = WORDS.map(([name, word]) => {
    const value = element('b', 'odds');
    return { name, value, root: element('span', 'price', element('small', '', word), ' ', value) };
  });
  const name = element('span', '', key.replace('-', ' '));
  const root = element(
    'li',
    '',
    name,
    score,
    element('div', 'prices', ...cells.map(({ root: cell }) => cell)),
  );
  root.style.order = key.split('-').at(-1);
  const update = (quote) => {
    put(score, String(quote.score ?? '').replace('-', '–'));
    for (const { name, value } of cells) {
      const text = Number(quote[name]).toFixed(2);
      if (value.textContent !== '' && value.textContent !== text)
        value.dataset.moved = Number(text) > Number(value.textContent) ? 'up' : 'down';
      put(value, text);
    }
  };
  return { root, update };
}

// The buttons: what to watch before, what happened afterwards.
import { byId, element, put, sentence } from '/show.js';

const OUTCOMES = 6;
const BUTTONS = [
  {
    action: 'kill',
    label: 'Kill a shard',
    watch: 'Watch the desktop: its shard dies, and another one serves it about a second later.',
  },
  {
    action: 'drain',
    label: 'Drain a shard',
    watch: 'Watch the desktop: it is on the next shard before the old one stops, without a break.',
  },
  {
    action: 'cut',
    label: 'Cut my network for 20 s',
    watch:
      'Watch all four: they grow old, and afterwards Weir jumps to the newest values and hands in every goal.',
  },
  {
    action: 'burst',
    label: '6,000 updates at once',
    watch: 'Watch the naive one: they all queue up for it. Weir has one newest value of each match.',
  },
  {
    action: 'goal',
    label: 'Publish a goal',
    watch:
      'Watch the screens: the goal comes at once, exactly once; to the naive one after all that waits before it.',
  },
  {
    action: 'nats',
    label: 'Stop NATS for 10 s',
    watch: 'Watch: all stay connected, values stand still, and go on by themselves.',
  },
];
export const CROWD = 500;

export class Actions {
  #lines;
  #live;
  #buttons = new Map();
  #crowd;

  constructor({ root, live, lines, ownNats }) {
    this.#live = live;
    this.#lines = lines;
    for (const { action, label, watch } of BUTTONS) {
      const button = this.#button(label, () => this.#begin(action));
      button.dataset.action = action;
      button.title = watch;
      if (action === 'nats' && !ownNats) {
        button.disabled = true;
        button.title = 'This NATS server is not one that npm start started.';
      } else this.#buttons.set(action, button);
      root.append(button);
    }
    this.#crowd = this.#button(`Add ${CROWD} clients`, () => this.#toggleCrowd());
    this.#crowd.dataset.action = 'crowd';
    root.append(this.#crowd);
    live.on('began', ({ action }) => this.#began(action));
    live.on('ended', (outcome) => this.#ended(outcome));
    live.on('view', ({ acting, crowd }) => {
      if (acting === undefined) this.#enable();
      put(
        this.#crowd,
        crowd === undefined ? `Add ${CROWD} clients` : `Send the ${crowd.clients} clients away`,
      );
    });
  }

  #button(label, act) {
    const button = element('button', '', label);
    button.type = 'button';
    button.addEventListener('click', act);
    return button;
  }

  #begin(action) {
    const shard = this.#lines.shard;
    this.#live
      .ask({ do: action, ...(shard === undefined ? {} : { shard }) })
      .catch((error) => this.#say(error.message, 'bad'));
  }

  #toggleCrowd() {
    const clients = this.#live.view?.crowd === undefined ? CROWD : 0;
    const text =
      clients === 0
        ? 'The crowd has left.'
        : `${CROWD} more clients come through the router: three of five are phones. Watch the map.`;
    this.#live.ask({ do: 'crowd', clients }).then(
      () => this.#say(text),
      (error) => this.#say(error.message, 'bad'),
    );
  }

  #began(action) {
    this.#lines.mark();
    const { watch } = BUTTONS.find((one) => one.action === action) ?? {};
    put(byId('watch'), watch ?? '');
    for (const [name, button] of this.#buttons) {
      // Not `disabled`: the focus would be lost.
      button.setAttribute('aria-disabled', 'true');
      button.dataset.running = String(name === action);
    }
  }

  #ended({ action, text, error }) {
    this.#enable();
    put(byId('watch'), '');
    if (error !== undefined) this.#say(error, 'bad');
    else if (action === 'goal')
      this.#say(`${text} ${this.#lines.goalAges(this.#live.view.feed.goals).join('; ')}.`);
    else this.#say(`${text} ${this.#lines.saw()}`);
  }

  #enable() {
    for (const button of this.#buttons.values()) {
      button.removeAttribute('aria-disabled');
      button.dataset.running = 'false';
    }
  }

  #say(text, tone = '') {
    const list = byId('outcomes');
    const time = element('time', '', new Date().toLocaleTimeString('en-GB'));
    list.prepend(element('li', tone, time, ' ', sentence(text)));
    while (list.children.length > OUTCOMES) list.lastElementChild.remove();
  }
}

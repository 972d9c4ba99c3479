// The visitor's own channels: what comes, frame by frame, and how to publish to them. Everything kept is bounded.
import { byId, element, put, words } from '/show.js';
import { drawSnippets, keyField, snippetsOf } from '/snippets.js';
import { connect } from '/weir.js';

const FRAMES = 40;
const FRAME_CHARS = 600;
const VALUES = 60;
const USUAL = 'hello';
const CHANNEL = /^[\w-]+(\.[\w-]+)*$/;

export class Yours {
  #config;
  #weir;
  #channels = [];
  #rows = new Map();
  #isHeld = false;

  /** `wanted` is what the page's own URL asks for. */
  constructor(config, wanted) {
    this.#config = config;
    byId('channels').value = wanted ?? USUAL;
    byId('frames').tabIndex = 0; // it scrolls, also by keys
    byId('listen').addEventListener('submit', (event) => {
      event.preventDefault();
      this.#listen();
      const url = new URL(location.href);
      url.searchParams.set('channels', this.#channels.join(','));
      history.replaceState(null, '', url);
    });
    byId('hold').addEventListener('click', () => {
      this.#isHeld = !this.#isHeld;
      byId('hold').setAttribute('aria-pressed', String(this.#isHeld));
      put(byId('hold'), this.#isHeld ? 'Go on' : 'Hold');
    });
    for (const id of ['lane', 'key', 'data']) byId(id).addEventListener('input', () => this.#draw());
    this.#listen();
  }

  /** `publish` resolves with the publisher's answer. */
  canPublish(publish) {
    byId('publish').addEventListener('submit', (event) => {
      event.preventDefault();
      this.#publish(publish);
    });
  }

  #listen() {
    const names = byId('channels')
      .value.split(/[\s,]+/)
      .filter((name) => name !== '');
    const wrong = names.find((name) => !CHANNEL.test(name));
    if (names.length === 0 || wrong !== undefined) {
      put(
        byId('listening'),
        wrong === undefined
          ? 'Name a channel.'
          : `${wrong} is no name of a channel: letters, digits, _ and -, joined by dots.`,
      );
      return;
    }
    this.#weir?.close();
    this.#channels = [...new Set(names)];
    for (const row of this.#rows.values()) row.remove();
    this.#rows.clear();
    byId('state-empty').hidden = false;
    const saw = (text) => this.#frame(text);
    class Heard extends WebSocket {
      constructor(url, protocols) {
        super(url, protocols);
        this.addEventListener('message', ({ data }) => saw(data));
      }
    }
    const weir = connect({
      url: this.#config.router,
      channels: this.#channels,
      WebSocket: Heard,
      reconnect: { spreadMs: 800, baseMs: 500, capMs: 4_000 },
    });
    this.#weir = weir;
    weir.on('status', (status) => this.#status(status));
    weir.on('move', () => this.#status(weir.status));
    weir.on('error', ({ message }) => put(byId('listening'), message));
    for (const name of this.#channels) weir.channel(name).on('state', (event) => this.#state(name, event));
    this.#status(weir.status);
    this.#draw();
  }

  #status(status) {
    const { pool, shard } = this.#weir.info;
    const where = pool === undefined ? '' : ` (pool ${pool}, ${shard})`;
    const text = {
      open: `Listening${where}.`,
      connecting: 'Connecting …',
      waiting: 'Waiting to try again …',
    };
    put(byId('listening'), text[status] ?? '');
  }

  #state(channel, { set, del }) {
    for (const key of del) {
      this.#rows.get(`${channel} ${key}`)?.remove();
      this.#rows.delete(`${channel} ${key}`);
    }
    for (const [key, value] of set) {
      const name = `${channel} ${key}`;
      let row = this.#rows.get(name);
      if (row === undefined) {
        if (this.#rows.size >= VALUES) continue;
        row = element(
          'li',
          '',
          element('b', '', this.#channels.length > 1 ? `${channel} / ${key}` : key),
          ' ',
          element('code', ''),
        );
        this.#rows.set(name, row);
        byId('state').append(row);
      }
      put(row.lastElementChild, words(value));
    }
    byId('state-empty').hidden = this.#rows.size > 0;
  }

  #frame(text) {
    if (this.#isHeld) return;
    const list = byId('frames');
    const shown =
      text.length > FRAME_CHARS
        ? `${text.slice(0, FRAME_CHARS)} … ${text.length - FRAME_CHARS} more characters`
        : text;
    const [, type = ''] = /^\{"type":"(\w+)"/.exec(text) ?? [];
    // A ticket is good for one connection, and no business of a screenshot's.
    const line = element('li', '', withoutSecrets(shown));
    line.dataset.type = type;
    list.prepend(line);
    while (list.children.length > FRAMES) list.lastElementChild.remove();
  }

  #message() {
    const lane = byId('lane').value;
    byId('key').disabled = lane !== 'state';
    return { lane, channel: this.#channels[0] ?? USUAL, key: byId('key').value, data: byId('data').value };
  }

  #draw() {
    const { publisher, nats, router } = this.#config;
    const sdk = `${location.origin}/weir.js`;
    drawSnippets(byId('snippets'), snippetsOf(this.#message(), { publisher, nats, router, sdk }));
  }

  async #publish(publish) {
    const { lane, channel, key, data } = this.#message();
    try {
      const message = {
        lane,
        channel,
        ...(lane === 'state' ? { [keyField(key)]: key } : {}),
        data: JSON.parse(data),
      };
      const { stream, seq } = await publish(message);
      put(byId('published'), seq === undefined ? 'Sent.' : `Kept as number ${seq} of ${stream}.`);
    } catch (error) {
      put(
        byId('published'),
        error instanceof SyntaxError ? `This is no JSON: ${error.message}` : error.message,
      );
    }
  }
}

function withoutSecrets(text) {
  return text.replace(/((?:ticket|hint)(?:=|":"))[\w.-]{12,}/g, '$1…');
}

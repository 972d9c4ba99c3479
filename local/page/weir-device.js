// A device with the SDK on one line: what any application does, and what it tells of the router's and shards' decisions.
import { Model } from '/model.js';
import { duration, rate } from '/show.js';
import { connect } from '/weir.js';

/** Few clients on one machine: they need not be spread over the many seconds that thousands are. */
const RECONNECT = { spreadMs: 800, baseMs: 500, capMs: 4_000 };

/** The platform's WebSocket, on this line: each address of the cluster stands for the one of the line's proxy. */
export function socketOn(addresses) {
  return class extends WebSocket {
    constructor(url, protocols) {
      const to = new URL(url);
      to.host = addresses[to.host] ?? to.host;
      super(to.href, protocols);
    }
  };
}

export class WeirDevice {
  model = new Model();
  isNaive = false;
  /** The last thing that happened to this client, in words. */
  story = 'connects through the router …';
  onStory = () => {};
  #options;
  #now;
  /** As the router measured it last: not each visit leaves it the time to. */
  #measured = {};
  #weir;

  /** `now` is the clock of the publisher. */
  constructor({ router, channel, addresses, now }) {
    this.#options = {
      url: router,
      channels: [channel],
      WebSocket: socketOn(addresses),
      reconnect: RECONNECT,
    };
    this.#now = now;
    this.#open(channel);
  }

  get isOpen() {
    return this.#weir.status === 'open';
  }

  get facts() {
    const { pool, shard, rttMs, kbps, tickMs } = this.#weir.info;
    if (rttMs !== undefined) this.#measured = { rttMs, kbps };
    return { pool, shard, tickMs, ...this.#measured };
  }

  /** Forgets what was measured, and visits the router as a new client does. */
  measure() {
    const { base } = this.model;
    this.#weir.close();
    this.#tell('visits the router to be measured …');
    this.model.base = base;
    this.#open(this.#options.channels[0]);
  }

  #open(channel) {
    this.#weir = connect(this.#options);
    const weir = this.#weir;
    const market = weir.channel(channel);
    market.on('state', ({ set }) => {
      for (const [key, quote] of set) this.model.value(key, quote);
      this.model.heard();
    });
    market.on('critical', ({ data }) => this.model.score(data, this.#now()));
    weir.on('open', ({ pool, shard, rttMs, kbps, resumed }) => {
      this.#tell(
        `${measuredAs(kbps, rttMs)}pool ${pool}, ${shard}${resumed ? ', goes on where it was' : ''}`,
      );
    });
    weir.on('move', (move) => this.#tell(storyOf(move)));
    weir.on('retry', ({ inMs, code }) =>
      this.#tell(`connection lost (${code}): tries again in ${duration(inMs)}`),
    );
    weir.on('error', ({ message }) => this.#tell(message));
  }

  #tell(story) {
    this.story = story;
    this.onStory(story);
  }
}

/** On a busy machine there may be no time for the rate: the slower pool is then the safe choice. */
function measuredAs(kbps, rttMs) {
  if (rttMs === undefined) return '';
  return kbps === undefined
    ? `measured ${duration(rttMs)}, and had no time for the rate: `
    : `measured ${rate(kbps)}, ${duration(rttMs)}: `;
}

function storyOf({ reason, from, pool, shard, kbps, rttMs }) {
  const measured = kbps === undefined ? '' : ` (${rate(kbps)}, ${duration(rttMs)})`;
  if (reason === 'drain') return `${from.shard} drains: moved to ${shard} without a break`;
  if (reason === 'rebalance') return `moved from ${from.shard} to ${shard} to even out the load`;
  if (reason === 'tooSlow')
    return pool === from.pool
      ? `measured again${measured}: stays in ${pool}`
      : `too slow for ${from.pool}${measured}: moved to ${pool}`;
  if (reason === 'promote')
    return pool === from.pool
      ? `measured again${measured}: stays in ${pool}`
      : `fast enough${measured}: promoted to ${pool}`;
  return `opened another connection: ${pool}, ${shard}`;
}

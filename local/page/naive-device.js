// The device that is compared with: a plain WebSocket to a server that sends everything to everybody.
import { Model } from '/model.js';
import { bytes } from '/show.js';
import { socketOn } from '/weir-device.js';

/** Long enough to read why. */
const AGAIN_MS = 5_000;

export class NaiveDevice {
  model = new Model();
  isNaive = true;
  id;
  story = 'connects …';
  onStory = () => {};
  #url;
  #Socket;
  #limitBytes;
  #now;
  #socket;

  constructor({ naive, naiveLimitBytes, addresses, now }) {
    this.#url = naive;
    this.#Socket = socketOn(addresses);
    this.#limitBytes = naiveLimitBytes;
    this.#now = now;
    this.#open();
  }

  get isOpen() {
    return this.#socket.readyState === WebSocket.OPEN;
  }

  get facts() {
    return {};
  }

  measure() {
    this.#again('connects again …');
  }

  #open() {
    this.#socket = new this.#Socket(this.#url);
    this.#socket.onmessage = ({ data }) => this.#take(JSON.parse(data));
    this.#socket.onclose = () => this.#again('connection lost: connects again …');
  }

  /** Its server has ended this connection; the line would tell it only after all that is still under way. */
  wasCut() {
    this.id = undefined;
    const grown = bytes(this.#limitBytes);
    this.#again(`cut off: its queue had grown to ${grown}. A real server goes on until it is out of memory.`);
  }

  #again(story) {
    this.#socket.onmessage = null;
    this.#socket.onclose = null;
    this.#socket.close();
    this.#tell(story);
    setTimeout(() => this.#open(), AGAIN_MS);
  }

  #take({ hello, values, lane, key, data }) {
    if (hello !== undefined) {
      this.id = hello;
      this.model.base ??= this.lastPublished?.();
      for (const [name, quote] of Object.entries(values)) this.model.value(name, quote);
      this.#tell('gets every update, one send each, whatever its network carries');
    } else if (lane === 'state') this.model.value(key, data);
    else this.model.score(data, this.#now());
    this.model.heard();
  }

  #tell(story) {
    this.story = story;
    this.onStory(story);
  }
}

// Which channel lists a client may ask for. The protocol's own check brings all its limits along, and every byte
// counts in a browser: this is the same rule in few bytes, and a property test holds the two together.
import { WeirError } from './errors.ts';

const NAME = /^(?=.{1,128}$)[\w-]+(\.[\w-]+){0,15}$/;
const MOST = 100;
const MOST_CHARS = 1_200;

/** Throws where the router or a shard would refuse the list. */
export function checkChannels(names: Iterable<string>): void {
  const list = [...new Set(names)];
  const bad = list.find((name) => !NAME.test(name));
  if (bad !== undefined) {
    throw new WeirError('CHANNEL_INVALID', `not the name of a channel: ${bad}`, { channel: bad });
  }
  if (list.length > MOST || list.join(' ').length + 1 > MOST_CHARS) {
    throw new WeirError('CHANNEL_LIMIT', `more than ${MOST} channels, or ${MOST_CHARS} characters`);
  }
}

// Counts what a replay would publish, for a check before the first message. Bounded for recordings of any length.
import type { Lane } from '@weir/protocol';
import type { Message } from '../parse/message.ts';
import type { Outcome } from '../send/outcome.ts';

const shownMessages = 3;
/** Above this number, names are no longer counted separately. */
const maxNames = 1_000_000;

export class Rehearsal {
  /** The first messages, each as a line of a recording without its time. */
  readonly first: string[] = [];
  readonly #lanes = new Map<Lane, number>();
  readonly #channels = new Set<string>();
  readonly #keys = new Set<string>();
  #bytes = 0;
  #largest = 0;
  #lastMs = 0;

  /** A message is due at this time since the start: nothing waits for it. */
  due(ms: number): number {
    this.#lastMs = Math.max(this.#lastMs, ms);
    return 0;
  }

  take(message: Message): Outcome {
    const { address, data } = message;
    const { lane, channel } = address;
    this.#lanes.set(lane, (this.#lanes.get(lane) ?? 0) + 1);
    if (this.#channels.size < maxNames) this.#channels.add(channel);
    if (address.lane === 'state' && this.#keys.size < maxNames) this.#keys.add(`${channel} ${address.key}`);
    this.#bytes += data.length;
    this.#largest = Math.max(this.#largest, data.length);
    if (this.first.length < shownMessages) this.first.push(lineOf(message));
    return { kind: 'sent' };
  }

  /** `dry run: nothing was published; 210 messages in 60.0 s (204 state, 3 critical), 1 channel, 2 keys, …`. */
  text(skipped: number): string {
    const lanes = [...this.#lanes].map(([lane, count]) => `${number(count)} ${lane}`);
    const messages = [...this.#lanes.values()].reduce((sum, count) => sum + count, 0);
    return [
      `dry run: nothing was published; ${counted(messages, 'message')} in ${(this.#lastMs / 1000).toFixed(1)} s`,
      ` (${lanes.join(', ')}), ${names(this.#channels.size, 'channel')}, ${names(this.#keys.size, 'key')},`,
      ` ${counted(this.#bytes, 'byte')}, ${number(this.#largest)} in the largest`,
      skipped > 0 ? `, ${counted(skipped, 'bad line')} skipped` : '',
    ].join('');
  }
}

function lineOf({ address, data, id }: Message): string {
  const members = Object.entries({ ...address, ...(id === undefined ? {} : { id }) });
  const head = members.map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`).join(',');
  return `{${head},${data.length === 0 ? '"delete":true' : `"data":${Buffer.from(data).toString('utf8')}`}}`;
}

function names(count: number, noun: string): string {
  return count < maxNames ? counted(count, noun) : `at least ${counted(count, noun)}`;
}

function counted(count: number, noun: string): string {
  return `${number(count)} ${noun}${count === 1 ? '' : 's'}`;
}

function number(value: number): string {
  return value.toLocaleString('en');
}

// Many clients by SDK, in a process of their own, outside the cluster. Notes of each what it got, how long it had
// nothing, and on which shards it was; says four times a second how all are. Plain JavaScript, because it runs as it
// is. Judges nothing.
import { connect } from '@weir/client';

const MOST_NUMBERS = 100_000;
const members = [];

function join({ url, channel, kind, quietMs }) {
  const weir = connect({ url, channels: [channel], class: kind, quietMs });
  const member = {
    weir,
    shards: [],
    /** The first message that it must have: what is published before it is served is not its. */
    firstNumber: undefined,
    got: 0,
    doubled: 0,
    times: new Uint8Array(1_000),
    gaps: 0,
    lastAtMs: 0,
  };
  beginEpisode(member);
  weir.on('open', ({ shard }) => {
    // A connection that ended without a move.
    if (member.shards.length > 0) member.breaks++;
    member.shards.push(shard);
  });
  weir.on('move', ({ shard }) => member.shards.push(shard));
  const feed = weir.channel(channel);
  feed.on('state', () => hear(member));
  feed.on('critical', ({ data }) => count(member, data));
  feed.on('gap', () => member.gaps++);
  members.push(member);
  return member;
}

function beginEpisode(member) {
  member.shards = member.shards.slice(-1);
  member.breaks = 0;
  member.silenceMs = 0;
}

function hear(member) {
  const now = performance.now();
  if (member.lastAtMs > 0) member.silenceMs = Math.max(member.silenceMs, now - member.lastAtMs);
  member.lastAtMs = now;
}

function count(member, number) {
  hear(member);
  if (number >= MOST_NUMBERS) throw new Error('too many messages to be counted');
  member.firstNumber ??= number;
  if (number >= member.times.length) {
    const longer = new Uint8Array(Math.min(MOST_NUMBERS, number * 2));
    longer.set(member.times);
    member.times = longer;
  }
  const times = ++member.times[number];
  if (times === 1) member.got++;
  else member.doubled++;
}

const silentForMs = ({ lastAtMs }) => (lastAtMs === 0 ? 0 : performance.now() - lastAtMs);

function health() {
  return {
    open: members.filter(({ weir }) => weir.status === 'open').length,
    // Of those whom the feed has reached.
    silent: members.filter((member) => silentForMs(member) > 1_500).length,
    /** The number that everybody has reached. */
    reached: Math.min(...members.map(({ firstNumber = 0, got }) => firstNumber + got)),
  };
}

const orders = {
  async join({ count: size, paceMs, ...options }) {
    const joined = [];
    for (let i = 0; i < size; i++) {
      joined.push(join(options));
      await delay(paceMs);
    }
    while (!joined.every(({ shards }) => shards.length > 0)) await delay(50);
  },
  leave({ from, count: size }) {
    for (const { weir } of members.splice(from, size)) weir.close();
  },
  mark() {
    for (const member of members) beginEpisode(member);
  },
  report() {
    return members.map((member) => ({
      shards: member.shards,
      firstNumber: member.firstNumber ?? 0,
      got: member.got,
      doubled: member.doubled,
      gaps: member.gaps,
      breaks: member.breaks,
      silenceMs: Math.round(Math.max(member.silenceMs, silentForMs(member))),
    }));
  },
};

function delay(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

process.on('message', async ({ id, order, options }) => {
  const answer = await orders[order](options);
  process.send({ id, answer });
});
process.on('disconnect', () => process.exit(0));
setInterval(() => process.send({ health: health() }), 250);

// Many SDK clients in their own process, outside the cluster. Records what each client got, how long it had no data,
// and on which shards it was; reports their health four times a second. Plain JavaScript, so it runs unbuilt. Judges
// nothing.
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { connect } from '@weir/client';

const MOST_NUMBERS = 100_000;
const members = [];
/** If this process itself stalls, silence does not prove a fault of the cluster. */
const loop = monitorEventLoopDelay();
loop.enable();

function join({ url, channel, kind, quietMs }) {
  const weir = connect({ url, channels: [channel], class: kind, quietMs });
  const member = {
    weir,
    shards: [],
    /** The first message that it must have: earlier ones were published before it had a stream. */
    firstNumber: undefined,
    lastNumber: undefined,
    got: 0,
    doubled: 0,
    times: new Uint8Array(1_000),
    gaps: 0,
    lastAtMs: 0,
  };
  beginEpisode(member);
  weir.on('open', ({ shard }) => {
    // A second `open` without a move: the connection broke.
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
  // Before the feed starts, no data is missing.
  if (member.firstNumber === undefined) return;
  const now = performance.now();
  if (member.lastAtMs > 0) member.silenceMs = Math.max(member.silenceMs, now - member.lastAtMs);
  member.lastAtMs = now;
}

function count(member, number) {
  if (number >= MOST_NUMBERS) throw new Error('too many messages to be counted');
  member.firstNumber ??= number;
  member.lastNumber = Math.max(member.lastNumber ?? 0, number);
  hear(member);
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
    // Counts only clients that the feed has reached.
    silent: members.filter((member) => silentForMs(member) > 1_500).length,
    /** The number that every client has reached. */
    reached: Math.min(MOST_NUMBERS, ...members.map(({ firstNumber = 0, got }) => firstNumber + got)),
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
    const gone = members.splice(from, size);
    for (const { weir } of gone) weir.close();
    const sum = (of) => gone.reduce((total, member) => total + of(member), 0);
    return {
      lost: sum(({ firstNumber, lastNumber, got }) => (got === 0 ? 0 : lastNumber - firstNumber + 1 - got)),
      doubled: sum(({ doubled }) => doubled),
      gaps: sum(({ gaps }) => gaps),
    };
  },
  mark() {
    loop.reset();
    for (const member of members) beginEpisode(member);
  },
  report() {
    const stallMs = Math.round(loop.max / 1e6);
    return members.map((member) => ({
      stallMs,
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

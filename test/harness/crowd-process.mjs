// Many SDK clients in their own process. Records when each visited the router and what it received. Reports their
// health ten times a second, and everything on request. Plain JavaScript, so it runs unbuilt. Judges nothing.
import { connect } from '@weir/client';
import { WebSocket } from 'ws';

const { url, channel, size, paceMs, reconnect } = JSON.parse(process.argv[2]);
const nowMs = () => performance.timeOrigin + performance.now();

const members = [];

function join() {
  const visitsAtMs = [];
  class Counted extends WebSocket {
    constructor(address, protocols) {
      if (address.includes('/v1/connect')) visitsAtMs.push(nowMs());
      super(address, protocols, { perMessageDeflate: false });
    }
  }
  const weir = connect({ url, channels: [channel], WebSocket: Counted, reconnect });
  const member = { weir, visitsAtMs, got: [], gaps: 0, losses: 0 };
  weir.channel(channel).on('critical', ({ data }) => member.got.push(data));
  weir.channel(channel).on('gap', () => member.gaps++);
  weir.on('status', (status) => {
    if (status === 'waiting') member.losses++;
  });
  members.push(member);
}

setInterval(() => {
  process.send({
    open: members.filter(({ weir }) => weir.status === 'open').length,
    losses: members.reduce((sum, { losses }) => sum + losses, 0),
    leastGot: Math.min(...members.map(({ got }) => got.length)),
  });
}, 100);

process.on('message', () => {
  const report = members.map(({ weir, visitsAtMs, got, gaps }) => ({
    visitsAtMs,
    got,
    gaps,
    state: Object.fromEntries(weir.channel(channel).state),
  }));
  process.send({ report });
});
process.on('disconnect', () => process.exit(0));

for (let i = 0; i < size; i++) {
  join();
  if (paceMs > 0) await new Promise((resolve) => setTimeout(resolve, paceMs));
}

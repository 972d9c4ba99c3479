// Publishes state at a rate, in its own process: `url prefix messagesPerSecond keys channels bytes`. Starts and stops
// on command, and reports how much it has published.
import { connect } from '@nats-io/transport-node';
import { message } from './peers/feed.ts';

const [url = '', prefix = 'weir', ...numbers] = process.argv.slice(2);
const [perSecond = 1_000, keys = 5_000, channels = 50, bytes = 200] = numbers.map(Number);
const SLICE_MS = 5;
/** After a pause a publisher makes up for at most this time. */
const MAX_DEBT_MS = 200;

const nats = await connect({ servers: url });
let published = 0;
let playing = false;
let paidMs = performance.now();

setInterval(() => {
  const nowMs = performance.now();
  paidMs = Math.max(paidMs, nowMs - MAX_DEBT_MS);
  const due = Math.floor(((nowMs - paidMs) * perSecond) / 1000);
  paidMs += (due * 1000) / perSecond;
  if (!playing) return;
  for (let i = 0; i < due; i++) {
    const key = published % keys;
    nats.publish(`${prefix}.state.c${key % channels}.k${key}`, message(bytes, published));
    published++;
  }
}, SLICE_MS);

process.on('message', (order) => {
  if (order === 'play') playing = true;
  else if (order === 'pause') playing = false;
  else void nats.flush().then(() => process.send?.({ published }));
});
process.on('disconnect', () => process.exit(0));
process.send?.({ published });

// The demo page: connects through the SDK and shows its events. Everything that the page keeps is bounded.

import { Board } from '/board.js';
import { element, words } from '/show.js';
import { connect } from '/weir.js';

const LOG_LINES = 20;
const byId = (id) => document.getElementById(id);
const put = (id, text) => {
  const place = byId(id);
  if (place.textContent !== text) place.textContent = text;
};

const counts = { changes: 0, criticals: 0, cosmetics: 0, gaps: 0, moves: 0 };
const count = (what, more = 1) => {
  counts[what] += more;
  put(what, counts[what].toLocaleString('en'));
};

const board = new Board(byId('groups'));
let weir;

function log(id, className, ...parts) {
  const list = byId(id);
  const time = new Date();
  const stamp = element('time', '', time.toLocaleTimeString('en-GB'));
  stamp.dateTime = time.toISOString();
  list.prepend(element('li', className, stamp, ' ', ...parts));
  while (list.children.length > LOG_LINES) list.lastElementChild.remove();
}

function problem(text) {
  const place = byId('problem');
  place.hidden = text === '';
  place.textContent = text;
}

function showStatus(status) {
  const text = {
    connecting: 'Connecting …',
    open: 'Connected',
    waiting: `Waiting to try again${weir?.info.lastClose ? ` (closed with ${weir.info.lastClose.code})` : ''}`,
    closed: 'Disconnected',
  };
  byId('status').dataset.status = status;
  put('status', text[status]);
  put('toggle', status === 'closed' ? 'Connect' : 'Disconnect');
}

function showInfo() {
  const { pool, shard, rttMs, kbps, confidence, attempts } = weir.info;
  put('pool', pool ?? '–');
  put('shard', shard ?? '–');
  put('rtt', rttMs === undefined ? 'not measured' : `${words(rttMs)} ms`);
  put('kbps', kbps === undefined ? 'not measured' : throughput(kbps));
  put('confidence', confidence ?? '–');
  put('attempts', String(attempts));
}

function throughput(kbps) {
  return kbps >= 1_000 ? `${words(Math.round(kbps / 100) / 10)} Mbit/s` : `${words(Math.round(kbps))} kbit/s`;
}

function show(name) {
  const channel = weir.channel(name);
  channel.on('state', (event) => {
    board.update(name, event);
    count('changes', event.set.size + event.del.length);
    put('keys', String(keysOfAll()));
  });
  channel.on('critical', ({ id, data }) => {
    count('criticals');
    log('critical', '', `#${id} `, words(data));
  });
  channel.on('cosmetic', ({ data, dropped }) => {
    count('cosmetics', data.length + dropped);
    for (const item of data.slice(-10)) log('cosmetic', '', words(item));
  });
  channel.on('gap', ({ after, reset }) => {
    count('gaps');
    log('critical', 'gap', reset ? 'gap: ids start again' : `gap: messages after #${after} are lost`);
  });
}

let channels = [];
function keysOfAll() {
  return channels.reduce((sum, name) => sum + weir.channel(name).state.size, 0);
}

async function start() {
  problem('');
  showStatus('connecting');
  const answer = await fetch('/config.json', { cache: 'no-store' });
  if (!answer.ok) throw new Error(`/config.json answered ${answer.status}`);
  const config = await answer.json();
  channels = config.channels;
  weir = connect({ url: config.router, channels });
  board.clear();
  for (const name of channels) show(name);
  weir.on('status', (status) => {
    showStatus(status);
    showInfo();
  });
  weir.on('open', showInfo);
  weir.on('move', () => {
    count('moves');
    showInfo();
  });
  weir.on('error', (error) => problem(error.message));
}

function begin() {
  start().catch((error) => {
    showStatus('closed');
    problem(`Could not start: ${error.message}`);
  });
}

byId('toggle').addEventListener('click', () => {
  if (weir === undefined || weir.status === 'closed') begin();
  else weir.close();
});
begin();

// The console's page: hears the console step by step and shows the part that is open.
import { ask } from './act.js';
import { showEvents, showMessages, showRouters, showScaling, showStreams } from './details.js';
import { append, follows, readHour } from './hour.js';
import { showOverview } from './overview.js';
import { byId, setText } from './parts.js';
import { showShards } from './shards.js';
import * as text from './text.js';

const PARTS = ['overview', 'shards', 'routers', 'streams', 'messages', 'scaling', 'timeline'];

const AGAIN_MS = 3_000;

/** The newest step. */
let view;
/** The hour before it. */
let hour;
let part = 'overview';

const SHOW = {
  overview: showOverview,
  shards: showShards,
  routers: showRouters,
  streams: showStreams,
  messages: showMessages,
  scaling: showScaling,
  timeline: () => showEvents(byId('events'), view.events),
};

function show() {
  if (view === undefined || hour === undefined) return;
  byId('scaling-link').hidden = view.scalers === undefined;
  const leader = view.leading ? '' : ' This control does not lead; it sees the same.';
  setText(
    byId('about'),
    `Looking since ${text.day(view.sinceMs)}, every ${text.age(view.everyMs)}; nothing older is kept.${leader}`,
  );
  SHOW[part](view, hour, refresh);
}

function open() {
  const wanted = location.hash.slice(1);
  part = PARTS.includes(wanted) ? wanted : 'overview';
  for (const name of PARTS) byId(`part-${name}`).hidden = name !== part;
  for (const link of document.querySelectorAll('nav a')) {
    if (link.hash === `#${part}`) link.setAttribute('aria-current', 'page');
    else link.removeAttribute('aria-current');
  }
  show();
}

let refreshing;
/** Reads the hour; one at a time. */
function refresh(shardIds = Object.keys(hour?.shards ?? {})) {
  refreshing ??= readHour(shardIds)
    .then((found) => {
      hour = found;
      show();
    })
    .catch(() => undefined) // the stream says that the console is away
    .finally(() => {
      refreshing = undefined;
    });
  return refreshing;
}

function status(state, words) {
  byId('light').dataset.state = state;
  setText(byId('status-text'), words);
}

function hear(next) {
  view = next;
  if (view.nats === 'away') status('away', 'NATS is away');
  else status('live', 'Live');
  if (!follows(hour, view)) void refresh();
  else if (refreshing === undefined) append(hour, view);
  show();
}

function listen() {
  const stream = new EventSource('api/stream');
  stream.addEventListener('view', ({ data }) => hear(JSON.parse(data)));
  stream.addEventListener('error', () => {
    status('away', 'The console does not answer; trying again');
    // After another answer than a stream a browser gives up: too many look, or a proxy knows no control now.
    if (stream.readyState === EventSource.CLOSED) setTimeout(listen, AGAIN_MS);
  });
}

listen();
byId('pool-filter').addEventListener('change', show);
byId('rebalance').addEventListener('click', () => ask('Rebalance now', { act: 'rebalance' }));
addEventListener('hashchange', open);
open();

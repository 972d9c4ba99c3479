// The first page: asks where the cluster is, and puts its parts together.
import { Actions } from '/actions.js';
import { Lines } from '/lines.js';
import { Live } from '/live.js';
import { Lobby } from '/lobby.js';
import { ClusterMap } from '/map.js';
import { Odds } from '/odds.js';
import { byId, element, put } from '/show.js';
import { connect } from '/weir.js';
import { Yours } from '/yours.js';

const RECONNECT = { spreadMs: 800, baseMs: 500, capMs: 4_000 };

function problem(text) {
  byId('problem').hidden = text === '';
  put(byId('problem'), text);
}

async function start() {
  const answer = await fetch('/config.json', { cache: 'no-store' });
  if (!answer.ok) throw new Error(`/config.json answered ${answer.status}`);
  const config = await answer.json();
  const { stage, token, console: explains } = config;
  if (explains)
    byId('parts').append(Object.assign(element('a', '', 'Console'), { id: 'console', href: explains }));
  const yours = new Yours(config, new URLSearchParams(location.search).get('channels'));
  if (stage === undefined) {
    document.body.dataset.stage = 'off';
    return;
  }
  document.body.dataset.stage = 'on';
  const live = new Live(token);
  yours.canPublish((message) => live.ask({ do: 'publish', message: JSON.stringify(message) }));
  const lines = new Lines({
    root: byId('devices'),
    verdict: byId('verdict'),
    stage,
    router: config.router,
    live,
  });
  new Actions({ root: byId('buttons'), live, lines, ownNats: stage.ownNats });
  new ClusterMap({ canvas: byId('map'), text: byId('map-text'), live });
  const weir = connect({
    url: config.router,
    channels: [...config.channels, 'odds'],
    reconnect: RECONNECT,
    critical: { last: 4 },
  });
  new Lobby(byId('lobby'), weir.channel(config.channels[0]));
  new Odds({ root: byId('odds'), channel: weir.channel('odds'), live });
  live.on('view', () => problem(''));
  live.on('away', () =>
    problem('The cluster does not answer: has npm start ended? This page goes on by itself when it is back.'),
  );
}

start().catch((error) => problem(`Could not start: ${error.message}`));

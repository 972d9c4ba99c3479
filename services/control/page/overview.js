// The overview: what is wrong now, the cluster in six numbers, the pools, an hour of them, and the newest events.
import { LineChart } from './charts.js';
import { showEvents } from './details.js';
import { lines } from './hour.js';
import { by, byId, element, keyed, setText, Table } from './parts.js';
import * as text from './text.js';

const overviewCharts = [
  ['Clients', 'clients', text.count],
  ['Frames to clients, per second', 'frames', text.rate],
  ['Bytes to clients, per second', 'bytes', text.bytes],
  ['Lag: 95 % of deliveries are quicker', 'lag95', text.milliseconds],
].map(([title, column, format]) => ({
  column,
  chart: new LineChart(byId('overview-charts'), { title, format }),
}));

const pools = new Table(byId('pools'), {
  key: by('pool'),
  empty: 'No shard is heard yet.',
  columns: [
    { title: 'Pool', of: by('pool') },
    { title: 'Clients', number: true, of: ({ clients }) => text.count(clients) },
    { title: 'Room for', number: true, of: ({ capacity }) => text.count(capacity) },
    {
      title: 'Shards that take clients',
      number: true,
      of: ({ serving, shards }) => `${serving} of ${shards}`,
      mark: ({ serving, shards }) => (serving === 0 ? 'bad' : serving < shards ? 'warn' : ''),
    },
    { title: 'Frames/s', number: true, of: ({ framesPerSecond }) => text.rate(framesPerSecond) },
    { title: 'Bytes/s', number: true, of: ({ bytesPerSecond }) => text.bytes(bytesPerSecond) },
    { title: 'Lag, median', number: true, of: ({ lagMs }) => text.milliseconds(lagMs) },
    { title: 'Lag, 95 %', number: true, of: ({ lag95Ms }) => text.milliseconds(lag95Ms) },
    { title: 'Backlog', number: true, of: ({ backlogBytes }) => text.bytes(backlogBytes) },
    { title: 'Held back', number: true, of: ({ states }) => text.count(states.congested ?? 0) },
  ],
});

export function showOverview(view, hour) {
  showFindings(view);
  const { total } = view;
  const tiles = [
    ['Clients', text.count(total.clients)],
    ['Shards', text.count(total.shards)],
    ['Published per second', text.rate(total.publishedPerSecond)],
    ['Frames to clients per second', text.rate(total.framesPerSecond)],
    ['Bytes to clients per second', text.bytes(total.bytesPerSecond)],
    ['Lag, 95 %', text.milliseconds(total.lag95Ms)],
  ];
  keyed(byId('tiles'), tiles, {
    key: ([name]) => name,
    make: ([name]) => element('div', {}, element('dt', {}, name), element('dd')),
    update: (node, [, value]) => setText(node.lastChild, value),
  });
  pools.show(view.pools);
  for (const { column, chart } of overviewCharts) chart.show(hour.seconds, lines(hour.pools, column));
  showEvents(byId('newest'), view.events.slice(-8));
}

function showFindings(view) {
  const nothing = {
    level: 'good',
    text:
      view.nats === 'starting'
        ? 'The console has just started and listens.'
        : 'Nothing that control can see.',
    advice: '',
  };
  const found = view.findings.length === 0 ? [nothing] : view.findings;
  keyed(byId('findings'), found, {
    key: by('text'),
    make: ({ level, text: sentence, advice, at }) => {
      const item = element('li', { 'data-level': level }, element('span', {}, sentence));
      if (advice !== '') item.append(element('span', { className: 'advice' }, advice));
      if (at !== undefined && at !== 'overview') item.append(element('a', { href: `#${at}` }, `See ${at}`));
      return item;
    },
    update: () => {},
  });
}

// Routers with their decisions, streams, messages, autoscaling and the timeline.
import { LineChart, Scatter } from './charts.js';
import { by, byId, element, keyed, setText, Table } from './parts.js';
import * as text from './text.js';

const processes = new Table(byId('processes'), {
  key: by('id'),
  empty: 'No router answers.',
  columns: [
    { title: 'Process', of: by('id') },
    { title: 'Service', of: by('service') },
    { title: 'Per second', number: true, of: ({ perSecond }) => perSecond },
    { title: 'Refused/s', number: true, of: ({ refusedPerSecond }) => text.rate(refusedPerSecond) },
    { title: 'Being measured', number: true, of: ({ pending }) => text.count(pending) },
    {
      title: 'NATS',
      of: ({ nats }) => (nats ? 'connected' : 'away'),
      mark: ({ nats }) => (nats ? '' : 'bad'),
    },
    { title: 'Memory', number: true, of: ({ memoryBytes }) => text.bytes(memoryBytes) },
    { title: 'Up', number: true, of: ({ upMs }) => text.age(upMs) },
    { title: 'Release', of: by('version') },
  ],
});
const scatter = new Scatter(byId('scatter'), { ms: text.milliseconds, kbps: text.kilobits });
const decisions = new Table(byId('decisions'), {
  key: ({ n }) => n,
  empty: 'No client has come since the routers started.',
  columns: [
    { title: 'Time', of: ({ atMs }) => text.clock(atMs) },
    { title: 'Pool', of: by('pool') },
    { title: 'Confidence', of: by('confidence') },
    { title: 'Round trip', number: true, of: ({ rttMs }) => text.milliseconds(rttMs) },
    { title: 'Rate', number: true, of: ({ kbps }) => text.kilobits(kbps) },
    { title: 'Why', of: text.why },
  ],
});

export function showRouters(view) {
  processes.show([
    ...view.routers.map((one) => ({
      ...one,
      service: 'router',
      perSecond: `${text.rate(one.connectsPerSecond)} clients`,
    })),
    ...view.publishers.map((one) => ({
      ...one,
      service: 'publisher',
      perSecond: `${text.rate(one.messagesPerSecond)} messages`,
    })),
  ]);
  const named = view.pools.map(by('pool'));
  scatter.set({ decisions: view.decisions, thresholds: view.thresholds, pools: named });
  const shapes = named
    .map((pool, place) => `${pool} is a ${place % 2 === 0 ? 'circle' : 'square'}`)
    .join(', ');
  setText(
    byId('scatter-hint'),
    `The newest ${view.decisions.length} decisions of all routers: each client once, without anything that says who it is. ${shapes}${shapes ? '.' : ''} Hollow: of low confidence, or without a rate.`,
  );
  decisions.show(numbered(view.decisions).slice(-50).reverse());
}

/** Clients that came in the same millisecond may have all else in common, too: each has a row of its own. */
function numbered(all) {
  const alike = new Map();
  return all.map((one) => {
    const key = `${one.atMs} ${one.rttMs} ${one.kbps} ${one.why}`;
    const before = alike.get(key) ?? 0;
    alike.set(key, before + 1);
    return { ...one, n: `${key} ${before}` };
  });
}

const streams = new Table(byId('streams'), {
  key: by('stream'),
  empty: 'Control has not looked at the streams yet, or WEIR_MEASURE_STREAMS is off.',
  columns: [
    { title: 'Stream', of: by('stream') },
    { title: 'Seen', of: ({ seen }) => (seen ? 'yes' : 'no'), mark: ({ seen }) => (seen ? '' : 'bad') },
    {
      title: 'Full',
      number: true,
      of: ({ fill }) => text.percent(fill),
      mark: ({ fill }) => (fill >= 0.95 ? 'bad' : fill >= 0.8 ? 'warn' : ''),
    },
    {
      title: 'Bytes',
      number: true,
      of: ({ bytes, maxBytes }) =>
        `${text.bytes(bytes)} of ${maxBytes > 0 ? text.bytes(maxBytes) : 'no limit'}`,
    },
    { title: 'Messages', number: true, of: ({ messages }) => text.count(messages) },
    { title: 'Stored/s', number: true, of: ({ perSecond }) => text.rate(perSecond) },
    { title: 'Oldest', number: true, of: ({ ageMs }) => text.age(ageMs) },
    { title: 'Sequence', number: true, of: ({ lastSeq }) => text.count(lastSeq) },
    {
      title: 'Lag in messages',
      number: true,
      of: ({ lag, slowest }) => `${text.count(lag)}${slowest === undefined ? '' : ` (${slowest})`}`,
      mark: ({ lag }) => (lag > 0 ? 'warn' : ''),
    },
    {
      title: 'Stale shards',
      number: true,
      of: ({ behind }) => text.count(behind),
      mark: ({ behind }) => (behind > 0 ? 'bad' : ''),
    },
    { title: 'Epoch began', of: ({ createdMs }) => text.day(createdMs) },
  ],
});
const publishedChart = new LineChart(byId('stream-charts'), {
  title: 'Messages published, per second',
  format: text.rate,
});
const rejectedChart = new LineChart(byId('stream-charts'), {
  title: 'Messages rejected, in a minute',
  format: text.count,
});

export function showStreams(view, hour) {
  streams.show(view.streams);
  publishedChart.show(hour.seconds, { published: hour.total.total?.published ?? [] });
  rejectedChart.show(hour.seconds, { rejected: hour.total.total?.rejected ?? [] });
}

function countTable(id, title, empty) {
  return new Table(byId(id), {
    key: by('name'),
    empty,
    columns: [
      { title, of: ({ name }) => text.words(name) },
      { title: 'Last minute', number: true, of: ({ minute }) => text.count(minute) },
      { title: 'Last hour', number: true, of: ({ hour: count }) => text.count(count) },
    ],
  });
}
const rejected = countTable('rejected', 'Reason', 'None in the last hour.');
const closes = countTable('closes', 'Cause', 'None in the last hour.');
const moves = countTable('moves', 'Reason', 'None in the last hour.');
const subjects = new Table(byId('subjects'), {
  key: ({ reason, subject }) => `${reason} ${subject}`,
  empty: 'None since the console started.',
  columns: [
    { title: 'Subject', of: by('subject') },
    { title: 'Reason', of: ({ reason }) => text.words(reason) },
    { title: 'At least', number: true, of: ({ atLeast }) => text.count(atLeast) },
    { title: 'Last', of: ({ lastMs }) => text.clock(lastMs) },
  ],
});

export function showMessages(view) {
  rejected.show(view.rejected);
  closes.show(view.closes);
  moves.show(view.moves);
  subjects.show(view.rejectedSubjects);
}

const scalers = new Map();

export function showScaling(view) {
  for (const one of view.scalers ?? []) {
    if (!scalers.has(one.name)) scalers.set(one.name, scalerPanel(one));
    const { sentence, table, reasons } = scalers.get(one.name);
    setText(
      sentence,
      `It wants ${one.wanted} shards; there are ${one.current}. It may have ${one.min} to ${one.max}.`,
    );
    table.show(one.metrics);
    keyed(reasons, one.why, {
      key: (line) => line,
      make: (line) => element('li', {}, line),
      update: () => {},
    });
  }
}

function scalerPanel({ pool }) {
  const place = element('table');
  const sentence = element('p');
  const reasons = element('ul');
  const title = element('h3', {}, `Pool ${pool}`);
  byId('scalers').append(
    element(
      'div',
      { className: 'panel' },
      title,
      sentence,
      place,
      element('p', {}, 'Why it holds or acts, in its own words:'),
      reasons,
    ),
  );
  const table = new Table(place, {
    key: by('name'),
    empty: 'It has no metric.',
    columns: [
      { title: 'Metric, average of a shard', of: by('name') },
      { title: 'It sees', number: true, of: by('sees') },
      { title: 'Target', number: true, of: by('target') },
    ],
  });
  return { sentence, table, reasons };
}

export function showEvents(list, events) {
  const items = events.length === 0 ? [{ n: 'none' }] : events.toReversed();
  keyed(list, items, {
    key: by('n'),
    make: ({ n, atMs, level, text: sentence }) => {
      if (n === 'none') return element('li', { className: 'none' }, 'Nothing yet.');
      const time = element('time', { datetime: new Date(atMs).toISOString() }, text.clock(atMs));
      const sign = { bad: 'Bad: ', warn: 'Note: ', good: 'Good: ', info: '' }[level] ?? '';
      return element(
        'li',
        { 'data-level': level },
        time,
        element('span', {}, element('b', {}, sign), sentence),
      );
    },
    update: () => {},
  });
}

// Pools and shards: a table, the last hour of those with the most clients, and the backlogs with their limits.
import { ask } from './act.js';
import { BacklogChart, LineChart } from './charts.js';
import { lines } from './hour.js';
import { by, byId, element, keyed, setText, Table } from './parts.js';
import * as text from './text.js';

const DRAWN_SHARDS = 6;

const filter = byId('pool-filter');
let shards;
let wantedShards = '';
const shardCharts = [
  ['Connections', 'clients', text.count],
  ['Backlog', 'backlog', text.bytes],
  ['Bytes to clients, per second', 'bytes', text.bytes],
  ['Event loop of the main thread', 'loop', text.percent],
  ['Lateness of ticks', 'late', text.milliseconds],
  ['Lag: 95 % of deliveries are quicker', 'lag', text.milliseconds],
].map(([title, column, format]) => ({
  column,
  chart: new LineChart(byId('shard-charts'), { title, format }),
}));
const backlogs = new Map();

/** Made when it is known whether one may act. */
const makeTable = (canAct) =>
  new Table(byId('shards'), {
    key: by('shard'),
    empty: 'No shard is heard.',
    columns: [
      { title: 'Shard', of: by('shard'), sort: by('shard') },
      { title: 'Pool', of: by('pool'), sort: by('pool') },
      {
        title: 'State',
        of: stateOf,
        sort: stateOf,
        mark: (one) => (one.stale ? 'bad' : one.draining || !one.ready ? 'warn' : ''),
      },
      ...(canAct ? [{ title: 'Action', of: () => '', node: drainCell }] : []),
      {
        title: 'Clients',
        number: true,
        of: ({ clients, capacity }) => `${text.count(clients)} of ${text.count(capacity)}`,
        sort: by('clients'),
      },
      {
        title: 'Backlog',
        number: true,
        of: ({ backlogBytes }) => text.bytes(backlogBytes),
        sort: by('backlogBytes'),
      },
      {
        title: 'Held back',
        number: true,
        of: ({ states }) => text.count(states.congested ?? 0),
        sort: ({ states }) => states.congested ?? 0,
      },
      {
        title: 'Bytes/s',
        number: true,
        of: ({ bytesPerSecond }) => text.bytes(bytesPerSecond),
        sort: by('bytesPerSecond'),
      },
      {
        title: 'Frames/s',
        number: true,
        of: ({ framesPerSecond }) => text.rate(framesPerSecond),
        sort: by('framesPerSecond'),
      },
      { title: 'Lag, 95 %', number: true, of: ({ lagMs }) => text.milliseconds(lagMs), sort: by('lagMs') },
      {
        title: 'Loop',
        number: true,
        of: ({ loop }) => text.percent(loop),
        sort: by('loop'),
        mark: ({ loop }) => (loop >= 0.9 ? 'warn' : ''),
      },
      {
        title: 'Ticks late',
        number: true,
        of: ({ lateMs }) => text.milliseconds(lateMs),
        sort: by('lateMs'),
        mark: ({ lateMs }) => (lateMs >= 100 ? 'warn' : ''),
      },
      {
        title: 'Memory',
        number: true,
        of: ({ memoryBytes }) => text.bytes(memoryBytes),
        sort: by('memoryBytes'),
      },
      { title: 'Up', number: true, of: ({ upMs }) => text.age(upMs), sort: by('upMs') },
      { title: 'Release', of: ({ version }) => version ?? 'does not say' },
    ],
  });

function stateOf({ draining, stale, ready }) {
  if (draining) return 'drains';
  if (stale) return 'without NATS';
  return ready ? 'takes clients' : 'not ready';
}

function drainCell(cell, { shard, draining }) {
  let button = cell.querySelector('button');
  if (button === null) {
    button = element('button', { type: 'button', 'aria-label': `Drain ${shard}…` }, 'Drain…');
    button.addEventListener('click', () => ask(`Drain ${shard}`, { act: 'drain', shard }));
    cell.replaceChildren(button);
  }
  button.disabled = draining;
}

export function showShards(view, hour, refresh) {
  shards ??= makeTable(view.canAct);
  byId('rebalance').hidden = !view.canAct;
  keyed(filter, [{ pool: '' }, ...view.pools], {
    key: by('pool'),
    make: ({ pool }) => element('option', { value: pool }, pool === '' ? 'all pools' : pool),
    update: () => {},
  });
  const shown = view.shards.filter(({ pool }) => filter.value === '' || pool === filter.value);
  shards.show(shown);
  const drawn = shown
    .toSorted((a, b) => b.clients - a.clients || a.shard.localeCompare(b.shard))
    .slice(0, DRAWN_SHARDS)
    .map(by('shard'))
    .toSorted();
  const hint =
    shown.length > DRAWN_SHARDS
      ? `Drawn are the ${DRAWN_SHARDS} shards with the most clients; the table has all ${shown.length}.`
      : '';
  setText(byId('shard-charts-hint'), hint);
  // Shards that change places must not have the hour read at each step.
  const wanted = drawn.every((shard) => hour.shards[shard] !== undefined) ? wantedShards : drawn.join(',');
  if (wanted !== wantedShards) {
    wantedShards = wanted;
    void refresh(drawn);
    return;
  }
  const known = Object.fromEntries(
    drawn.filter((shard) => hour.shards[shard] !== undefined).map((shard) => [shard, hour.shards[shard]]),
  );
  for (const { column, chart } of shardCharts) chart.show(hour.seconds, lines(known, column));
  for (const one of view.pools) {
    if (!backlogs.has(one.pool))
      backlogs.set(one.pool, new BacklogChart(byId('backlogs'), `Pool ${one.pool}`, text.bytes));
    backlogs.get(one.pool).set({ backlog: one.backlog, softBytes: one.softBytes, hardBytes: one.hardBytes });
  }
}

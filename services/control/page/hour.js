// The last hour as columns of numbers: what the console has kept, and the steps that were heard since. Bounded.

const HOUR_MS = 3_600_000;

/** Reads what the console has kept, with these shards. */
export async function readHour(shards) {
  const response = await fetch(`api/history?shards=${shards.map(encodeURIComponent).join(',')}`);
  const { run, step, endMs, everyMs, length, total, pools, shards: of } = await response.json();
  const seconds = Array.from({ length }, (_, i) => (endMs - (length - 1 - i) * everyMs) / 1000);
  const known = Object.fromEntries(
    Object.entries(of).filter(([, columns]) => columns !== undefined && columns !== null),
  );
  return { run, step, seconds, total: total === undefined ? {} : { total }, pools, shards: known };
}

/** Whether the step follows those of the hour; if not, the hour is read anew. */
export function follows(hour, view) {
  return (
    hour !== undefined && hour.run === view.run && (view.step === hour.step + 1 || view.step === hour.step)
  );
}

/** Adds a step. */
export function append(hour, view) {
  if (view.step === hour.step) return;
  hour.step = view.step;
  const most = Math.round(HOUR_MS / view.everyMs);
  push(hour.seconds, view.atMs / 1000, most);
  const rejected = view.rejected.reduce((sum, { minute }) => sum + minute, 0);
  const pools = Object.fromEntries(
    view.pools.map((one) => [
      one.pool,
      {
        clients: one.clients,
        frames: one.framesPerSecond,
        bytes: one.bytesPerSecond,
        backlog: one.backlogBytes,
        lag: one.lagMs,
        lag95: one.lag95Ms,
      },
    ]),
  );
  const shards = Object.fromEntries(
    view.shards.map((one) => [
      one.shard,
      {
        clients: one.clients,
        backlog: one.backlogBytes,
        bytes: one.bytesPerSecond,
        loop: one.loop,
        late: one.lateMs,
        lag: one.lagMs,
      },
    ]),
  );
  addRow(hour, 'total', { total: { published: view.total.publishedPerSecond, rejected } }, most);
  addRow(hour, 'pools', pools, most);
  addRow(hour, 'shards', shards, most);
}

/** A name that is new gets columns; those of shards are read when they are drawn. */
function addRow(hour, kind, row, most) {
  const names = hour[kind];
  const before = hour.seconds.slice(1);
  if (kind !== 'shards')
    for (const [name, values] of Object.entries(row))
      names[name] ??= Object.fromEntries(
        Object.keys(values).map((column) => [column, before.map(() => null)]),
      );
  for (const [name, columns] of Object.entries(names))
    for (const [column, values] of Object.entries(columns)) push(values, row[name]?.[column] ?? null, most);
}

function push(values, value, most) {
  values.push(value);
  if (values.length > most) values.shift();
}

/** Pools or shards by one column, for a chart. */
export function lines(names, column) {
  return Object.fromEntries(
    Object.keys(names)
      .toSorted()
      .map((name) => [name, names[name][column]]),
  );
}
